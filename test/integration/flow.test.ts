import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FlowStep, runFlow } from '../../workers/index.js';
import { writeMaps } from './maps.js';
import { buildWhenStale } from './program.js';

const root = mkdtempSync(join(tmpdir(), 'stormreel-flow-'));
const dataset = join(root, 'dataset');
const folder = join(root, 'run');

beforeAll(async () => {
  buildWhenStale();
  await writeMaps(join(root, 'maps'), 6);
});
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

const steps = (second = 'a'): FlowStep[] => [
  {
    name: 'ingest',
    command: ['ingest', join(root, 'maps'), '--out', dataset, '--workers', '1'],
    inputHash: 'i',
    always: true,
    dataset,
  },
  { name: 'hash', command: ['dataset', 'hash', dataset], inputHash: second, dataset },
  { name: 'verify', command: ['dataset', 'verify', dataset], inputHash: `${second}v`, dataset },
];

const skipped = async (options: { second?: string; from?: string } = {}): Promise<string[]> => {
  const lines: string[] = [];
  await runFlow({
    folder,
    steps: steps(options.second),
    from: options.from,
    log: (line) => lines.push(line),
  });
  return lines.filter((line) => line.includes('finished before')).map((line) => line.split(':')[0]);
};

describe('runFlow', () => {
  it('does every step once, then only what changed and what comes after it', async () => {
    expect(await skipped()).toEqual([]);
    const { steps: done } = JSON.parse(readFileSync(join(folder, 'flow.json'), 'utf8'));
    expect(Object.keys(done)).toEqual(['ingest', 'hash', 'verify']);
    expect(done.verify.dataset).toMatch(/^[0-9a-f]{64}$/);
    expect(await skipped()).toEqual(['hash', 'verify']);
    expect(await skipped({ from: 'verify' })).toEqual(['hash']);
    expect(await skipped({ second: 'b' })).toEqual([]);
    await writeMaps(join(root, 'maps'), 8); // new frames: the steps that read them run again
    expect(await skipped({ second: 'b' })).toEqual([]);
  });

  it('throws the error that a step ended with', async () => {
    const wrong = [{ ...steps()[0], command: ['ingest', join(root, 'nowhere'), '--out', dataset] }];
    const lines: string[] = [];
    const error = await runFlow({ folder, steps: wrong, log: (line) => lines.push(line) }).catch((e) => e);
    expect(error).toMatchObject({ tag: 'ConfigError', hint: expect.any(String), fields: { step: 'ingest' } });
    expect(error.message).toContain('nowhere');
    expect(lines.join('\n')).not.toContain('hint:'); // told once, by whoever prints the error
  });

  it('refuses a step that is not there', async () => {
    const error = await runFlow({ folder, steps: steps(), from: 'trian' }).catch((e) => e);
    expect(error).toMatchObject({ tag: 'ConfigError', fields: { from: 'trian' } });
    expect(error.hint).toContain('verify');
  });
});
