import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { command } from '../../cli/report.js';
import { labelRun, readEvents } from '../../pipeline/labelling/index.js';
import { loadReport } from '../../pipeline/reports/index.js';
import { openBackend } from '../../pipeline/tensor/index.js';
import type { RunConfig } from '../../schemas/config/index.js';
import { BAD, COUNT, SIZE, storedRun } from '../labelling/storedRun.js';

let folder = '';
let config: RunConfig;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stormreel-report-'));
  await openBackend();
  config = await storedRun(folder);
  const step = JSON.stringify({ member: 0, step: 1, loss: 0.7 });
  await writeFile(at('run/log.jsonl'), `${step}\n${step.slice(0, 9)}`);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a report of a stored run', () => {
  it('before labelling says what is missing, each with its cure', async () => {
    const data = await loadReport(config.run);
    const pieces = data.missing.map(({ piece }) => piece);
    expect(pieces.sort()).toEqual(['attention', 'events', 'metrics', 'predictions', 'scores']);
    for (const { cure } of data.missing) expect(cure).toMatch(/^stormreel /);
    expect(data.index?.length).toBe(COUNT);
    await data.store?.close();
  });

  it('after labelling reads every record beside its frame', async () => {
    const { metrics, events } = await labelRun({ dataset: config.dataset, runDir: config.run, config });
    await writeScores();
    const data = await loadReport(config.run);
    expect(data.missing).toEqual([]);
    expect(data.predictions!.probability[BAD]).toBeNaN();
    expect(data.predictions!.predicted[BAD]).toBe(-1);
    expect(data.store!.frameReason!(BAD)).toMatch(/ends early/);
    expect(data.events).toEqual(events);
    expect(await readEvents(at('run/events.csv'))).toEqual(events);
    expect(data.metrics!.evaluations!.test.ap).toEqual(metrics.evaluations.test.ap);
    expect(data.attention!.map(5)).toHaveLength(SIZE * SIZE);
    expect(data.split!.part).toHaveLength(COUNT);
    expect([data.scores!.score[7], data.scores!.p[7], data.scores!.score[BAD]]).toEqual([7, 0.5, Number.NaN]);
    expect(data.log).toEqual([{ member: 0, step: 1, loss: 0.7 }]);
    expect(data.facts.Calibration).toMatch(/^platt/);
    await data.store!.close();
  });

  it('says what the config says now, where one is given', async () => {
    const words = { title: 'New title', about: 'New words', attribution: ['New credits'] };
    const data = await loadReport(config.run, words);
    expect(data).toMatchObject(words);
    await data.store!.close();
  });

  it('is written by the command, and found again where the folders were moved', async () => {
    await cp(at('dataset'), at('moved/dataset'), { recursive: true });
    await cp(at('run'), at('moved/run'), { recursive: true });
    await rm(at('dataset'), { recursive: true });
    const found = JSON.parse(await call([at('moved/run'), '--json']));
    expect(found).toMatchObject({ out: at('moved/run/report.html'), missing: [] });
    const page = await readFile(found.out, 'utf8');
    expect(page.length).toBe(found.bytes - (Buffer.byteLength(page) - page.length));
    expect(page).toContain('id="player"');
  });

  it('without the dataset keeps what the predictions say', async () => {
    const found = JSON.parse(await call([at('run'), '--out', at('x.html'), '--json']));
    expect(found.missing.map(({ piece }: { piece: string }) => piece)).toContain('dataset');
    expect(await readFile(at('x.html'), 'utf8')).toContain(`${COUNT} frames`);
  });

  it('of a folder that is no run is refused', async () => {
    const { error } = JSON.parse(await call([folder, '--json']));
    expect([error.tag, error.hint, process.exitCode]).toEqual([
      'ConfigError',
      expect.stringContaining('stormreel train'),
      2,
    ]);
    process.exitCode = undefined;
  });
});

async function writeScores(): Promise<void> {
  const data = await loadReport(config.run);
  await data.store?.close();
  const numbers = (of: (f: number) => number | null) =>
    Array.from({ length: COUNT }, (_, f) => (f === BAD ? null : of(f)));
  const column = (name: string, of: (f: number) => number | null) => ({
    name,
    type: 'DOUBLE' as const,
    data: numbers(of),
  });
  const names = ['window_score', 'pca', 'persistence', 'norm'];
  const columnData = [
    { name: 'series', type: 'STRING' as const, data: Array(COUNT).fill('a') },
    { name: 'time', type: 'TIMESTAMP' as const, data: Array.from(data.index!.time, (t) => new Date(t)) },
    column('score', (f) => f),
    column('p_value', () => 0.5),
    ...names.map((name) => column(name, (f) => 2 * f)),
    { name: 'split', type: 'STRING' as const, data: Array(COUNT).fill('test') },
  ];
  await writeFile(at('run/scores.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })));
}

async function call(args: string[]): Promise<string> {
  let text = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => Boolean((text += chunk)));
  try {
    await command().parseAsync(args, { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return text;
}
