/** Which backend a process takes, and that it refuses one that computes wrongly. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfCheck } from '../../pipeline/tensor/backend/selfcheck.js';
import { tf } from '../../pipeline/tensor/backend/tfjs.js';
import { replaceGradient } from '../../pipeline/tensor/gradients/registered.js';
import { installedAddon, openBackend, tensorCount } from '../../pipeline/tensor/index.js';
import { buildWhenStale, start } from '../integration/program.js';

const empty = mkdtempSync(join(tmpdir(), 'stormreel-check-'));
beforeAll(buildWhenStale);
afterAll(() => rmSync(empty, { recursive: true, force: true }));

/** `stormreel backend check --json` in a process of its own; no native backend where `cache` is empty. */
async function check(args: string[], env: Record<string, string>) {
  const { code, stdout } = await start(['backend', 'check', '--json', ...args], env).ended;
  return { code, ...JSON.parse(stdout) };
}
const none = { STORMREEL_CACHE: empty, STORMREEL_BACKEND: '' };

describe('stormreel backend check', () => {
  it('takes wasm where nothing native is installed, never the plain JavaScript one, and says why', async () => {
    const found = await check(['--threads', '1'], none);
    expect(found).toMatchObject({ code: 0, name: 'wasm', device: 'simd', threads: 1 });
    expect(found.passedOver).toEqual([
      expect.stringContaining('tensorflow: not installed'),
      expect.stringContaining('webgpu: '),
    ]);
    expect(Object.keys(found.versions)).toEqual(['wasm', 'tfjs']);
    expect(found.selfCheckError).toBeLessThan(1e-3);
    for (const speed of ['conv', 'convTraining', 'matMul']) expect(found.gflops[speed]).toBeGreaterThan(0);
  });

  it.skipIf(installedAddon() === null)(
    'takes native TensorFlow first where it is installed (stormreel backend install)',
    async () => {
      expect(await check([], { STORMREEL_BACKEND: '' })).toMatchObject({
        code: 0,
        name: 'tensorflow',
        passedOver: [],
      });
    },
  );

  it('takes the one that is forced, by variable or flag, or fails', async () => {
    for (const [args, env] of [
      [[], { STORMREEL_BACKEND: 'tensorflow' }],
      [['--backend', 'tensorflow'], {}],
      [['--backend', 'webgpu'], {}],
    ] as [string[], Record<string, string>][]) {
      const { code, error } = await check(args, { ...none, ...env });
      expect([code, error.tag]).toEqual([2, 'BackendError']);
    }
    expect(await check(['--threads', '1'], { STORMREEL_BACKEND: 'wasm' })).toMatchObject({ name: 'wasm' });
  }, 60_000);
});

describe('the self-check', () => {
  it('refuses a backend whose convolution gradient is wrong', async () => {
    const info = await openBackend({ backend: 'cpu' });
    expect(info.selfCheckError).toBeLessThan(1e-3);
    const before = tensorCount();
    replaceGradient('Conv2D', { inputs: ['x', 'filter'] }, (_, [x, filter]) => ({
      x: () => tf.zerosLike(x),
      filter: () => tf.onesLike(filter),
    }));
    expect(() => selfCheck('cpu')).toThrow(
      expect.objectContaining({
        tag: 'BackendError',
        fields: { backend: 'cpu', error: 12, tolerance: 1e-3 },
      }),
    );
    expect(tensorCount()).toBe(before);
  });
});
