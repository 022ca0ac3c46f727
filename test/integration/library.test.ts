import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildWhenStale, ROOT } from './program.js';

describe('docs/library.md', () => {
  it('is a program that runs as it stands: maps, dataset, model and a label for every frame', () => {
    buildWhenStale();
    const [, program] =
      /```js\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/library.md'), 'utf8')) ?? [];
    // Inside the package, so that `stormreel` is this very build.
    const file = join(ROOT, 'dist', `library-${process.pid}.mjs`);
    const cwd = mkdtempSync(join(tmpdir(), 'stormreel-library-'));
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    writeFileSync(file, program);
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, expect.stringContaining('backend')]);
      const { hash, frames, events } = JSON.parse(stdout);
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(events).toBeGreaterThanOrEqual(0);
      const rows = readFileSync(join(cwd, 'run/predictions.csv'), 'utf8').trim().split('\n');
      expect(rows).toHaveLength(frames + 1);
    } finally {
      rmSync(file);
      rmSync(cwd, { recursive: true, force: true });
    }
  });
});
