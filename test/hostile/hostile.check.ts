/** All bad files through the whole of `stormreel ingest`, with a table: `npm run hostile`, or `-- -t 'Zarr'` for some classes. */
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { buildWhenStale } from '../integration/program.js';
import { corpus } from './corpus/index.js';
import { expectHarmless } from './expected.js';
import { type Judged, judge } from './judge.js';

const folder = mkdtempSync(join(tmpdir(), 'sr-hostile-'));
let begun = false;
beforeAll(buildWhenStale);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(await corpus())('$name', (one) => {
  it('is refused or read, and harms nobody', { timeout: 1_800_000 }, async () => {
    const found = await judge(join(folder, 'x'), one, true);
    writeSync(2, table(found, { head: !begun }));
    begun = true;
    expectHarmless(found);
  });
});

/** One row, printed when its class is done. */
function table(
  { name, verdicts, peakBytes, ms, harmed, retyped }: Judged,
  { head }: { head: boolean },
): string {
  const row = (cells: (string | number)[]) =>
    `| ${cells.map((cell, i) => (i ? String(cell).padStart(9) : String(cell).padEnd(36))).join(' | ')} |\n`;
  const names = ['class', 'files', 'refused', 'harmed', 'retyped', 'peak MiB', 'cpu s', 'worst ms'];
  const top = head ? `\n${row(names)}${row(names.map(() => '---'))}` : '';
  const refused = verdicts.filter(({ skip }) => skip !== 'ok').length;
  const figures = [
    harmed.length,
    retyped ? 'yes' : 'no',
    Math.round(peakBytes / 2 ** 20),
    (ms / 1_000).toFixed(1),
    Math.max(...verdicts.map((v) => v.ms)),
  ];
  return `${top}${row([name, verdicts.length, refused, ...figures])}`;
}
