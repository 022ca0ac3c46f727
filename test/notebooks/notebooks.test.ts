/** Every notebook's code cells, one after the other, under the Deno whose kernel runs them: types checked, then executed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset } from '../../pipeline/shards/index.js';
import { writeSeason } from '../../pipeline/simulation/index.js';
import { fillHere } from '../integration/fillHere.js';
import { buildWhenStale, ROOT } from '../integration/program.js';

interface Cell {
  cell_type: string;
  execution_count: number | null;
  outputs?: unknown[];
  source: string[];
}

const notebooks = readdirSync(join(ROOT, 'notebooks')).filter((name) => name.endsWith('.ipynb'));
const folder = mkdtempSync(join(tmpdir(), 'stormreel-notebook-'));
const dataset = join(folder, 'dataset');

beforeAll(async () => {
  buildWhenStale();
  await writeSeason(join(folder, 'maps'), { frames: 12, size: 16, storms: 0, seed: 1 });
  await fillHere(dataset, { sources: [join(folder, 'maps')] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the notebooks', () => {
  it('are there', () => expect(notebooks).toContain('look_at_shards.ipynb'));

  it.each(notebooks)('%s is kept without outputs, for the Deno kernel', (name) => {
    const { cells, metadata } = JSON.parse(readFileSync(join(ROOT, 'notebooks', name), 'utf8'));
    expect(metadata.kernelspec.name).toBe('deno');
    for (const cell of cells.filter((c: Cell) => c.cell_type === 'code'))
      expect(cell).toMatchObject({ outputs: [], execution_count: null });
  });

  it.each(notebooks)('%s has right types and prints what the dataset holds', async (name) => {
    const { cells } = JSON.parse(readFileSync(join(ROOT, 'notebooks', name), 'utf8'));
    const code = cells.filter((c: Cell) => c.cell_type === 'code').map((c: Cell) => c.source.join(''));
    const file = join(ROOT, 'notebooks', `.check-${process.pid}.ts`);
    writeFileSync(file, code.join('\n'));
    try {
      const args = ['run', '--check', '--no-lock', '--no-remote', '-A', file];
      const { status, stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/deno'), args, {
        ...{ cwd: join(ROOT, 'notebooks'), encoding: 'utf8' },
        env: { ...process.env, STORMREEL_DATASET: dataset, NO_COLOR: '1' },
      });
      expect([status, stderr]).toEqual([0, expect.not.stringContaining('error')]);
      const store = await openDataset(dataset);
      expect(stdout).toContain(store.hash);
      expect(stdout).toContain(`${store.index.length} frames of 16 x 16 cells`);
      expect(stdout).toContain(new Date(store.index.time[0]).toISOString());
      await store.close();
    } finally {
      rmSync(file);
    }
  });
});
