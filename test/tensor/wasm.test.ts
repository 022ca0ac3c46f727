import { beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from '../../pipeline/tensor/index.js';
import { backendSpec } from './spec.js';

beforeAll(async () => {
  await openBackend({ backend: 'wasm' });
});

test('openBackend() refuses another backend in the same process', async () => {
  await expect(openBackend({ backend: 'cpu' })).rejects.toMatchObject({
    tag: 'BackendError',
    fields: { open: 'wasm', asked: 'cpu' },
  });
});

describe('wasm', backendSpec);
