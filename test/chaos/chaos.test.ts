import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildWhenStale, ROOT } from '../integration/program.js';
// @ts-expect-error plain JavaScript
import { scheduleOf, WEIGHTS } from './schedule.mjs';

const canRun = process.platform === 'linux' && spawnSync('redis-server', ['--version']).status === 0;
if (!canRun) console.warn('chaos: skipped, needs Linux and redis-server (apt-get install redis-server)');

beforeAll(buildWhenStale);

describe('the schedule of faults', () => {
  it('is a pure function of the seed and brings every kind of fault', () => {
    for (const kind of ['redis', 'pglite'] as const) {
      const of = (seed: number) => scheduleOf(seed, kind, { seconds: 60, everyMs: 500 });
      expect(of(5)).toEqual(of(5));
      expect(of(5)).not.toEqual(of(6));
      const seen = new Set(
        Array.from({ length: 30 }, (_, seed) => of(seed))
          .flat()
          .map((fault) => fault.kind),
      );
      expect([...seen].sort()).toEqual(Object.keys(WEIGHTS[kind]).sort());
    }
  });
});

describe.skipIf(!canRun)('an ingest by several workers under fire', () => {
  it('ends with every frame once, in order, the quiet hash, an empty queue and no process left', async () => {
    const flags = [
      '--queue',
      'redis',
      '--rounds',
      '1',
      '--frames',
      '240',
      '--seconds',
      '6',
      '--every-ms',
      '600',
    ];
    const { code, text } = await chaos([...flags, '--seed', '4', '--delay-ms', '40']);
    const { each, kills, failedSeeds } = JSON.parse(text);
    expect(each[0].problems).toEqual([]);
    expect(failedSeeds).toEqual([]);
    expect(kills).toBeGreaterThan(0);
    expect(code).toBe(0);
  }, 600_000); // seconds where there is room; a machine with too much to do takes longer
});

function chaos(flags: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(ROOT, 'test/chaos/main.mjs'), ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  return new Promise((done) => child.once('exit', (code) => setTimeout(() => done({ code, text }), 50)));
}
