/** One class of bad files through the whole of `stormreel ingest`, and what became of each of them. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isStormreelError } from '../../pipeline/errors.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { fillHere } from '../integration/fillHere.js';
import { start } from '../integration/program.js';
import type { HostileCase, HostileClass } from './corpus/case.js';
import { watchMemory } from './memory.js';

export interface Verdict {
  name: string;
  maybe: boolean;
  /** `ok`, or why not: tag and text. Null when nothing was said of it. */
  skip: string | null;
  /** The same under `stop`, with its exit code. */
  stop: string | null;
  code: number;
  /** Of the run under `stop`. */
  ms: number;
}

export interface Judged {
  name: string;
  verdicts: Verdict[];
  /** Neighbours whose values are not what they are without the bad files. */
  harmed: string[];
  /** Neighbours that are kept in another type because of a readable file: same values, other bytes. */
  retyped: boolean;
  /** Frames with a value that is not finite where it is valid. */
  poisoned: string[];
  /** The command over all of them under `stop`: exit code and tag of its error. */
  stopped: string;
  code: number | null;
  stderr: string;
  peakBytes: number;
  ms: number;
}

const FLAGS = ['--json', '--quiet', '--duplicates', 'first', '--step', '1h', '--assume-utc'];

/** `folder` is made and removed. */
export async function judge(
  folder: string,
  { name, ending, healthy, cases, flags = [] }: HostileClass,
): Promise<Judged> {
  const maps = join(folder, 'maps');
  const alone = join(folder, 'alone/maps');
  mkdirSync(maps, { recursive: true });
  mkdirSync(alone, { recursive: true });
  try {
    // More of them than of the others: where most maps differ from the first, the first is the odd one.
    const good = Array.from({ length: cases.length + 3 }, (_, i) => ({ i, file: fileName(i, ending) }));
    for (const { i, file } of good)
      for (const dir of [maps, alone]) writeFileSync(join(dir, file), await healthy(i));
    const bad = cases.map((one, i) => ({ one, file: fileName(1_000 + i, ending) }));
    for (const { one, file } of bad) await put(one, join(maps, file));
    const quiet = await run([alone, '--out', join(folder, 'quiet'), ...FLAGS, ...flags]);
    const noisy = await run([
      maps,
      '--out',
      join(folder, 'noisy'),
      '--on-bad-frame',
      'skip',
      ...FLAGS,
      ...flags,
    ]);
    const told = noisy.code === 0 ? await outcomes(join(folder, 'noisy'), noisy.stdout) : new Map();
    const before = quiet.code === 0 ? await outcomes(join(folder, 'quiet'), quiet.stdout) : new Map();
    const verdicts: Verdict[] = [];
    for (const [i, { one, file }] of bad.entries()) {
      const found = told.get(file);
      const stopped = await underStop(join(folder, `stop${i}`), one, { file, ending, healthy });
      verdicts.push({ name: one.name, maybe: one.maybe ?? false, skip: found?.said ?? null, ...stopped });
    }
    const command = await run([maps, '--out', join(folder, 'stopped'), ...FLAGS, ...flags]);
    const same = (file: string) => told.get(file)?.values === before.get(file)?.values;
    return {
      ...{
        name,
        verdicts,
        stopped: stoppedBy(command),
        code: noisy.code,
        stderr: noisy.stderr,
        peakBytes: noisy.peakBytes,
        ms: noisy.ms,
      },
      harmed: good.map(({ file }) => file).filter((file) => !before.get(file) || !same(file)),
      retyped: good.some(({ file }) => told.get(file)?.content !== before.get(file)?.content),
      poisoned: [...told].filter(([, { finite }]) => !finite).map(([file]) => file),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fileName(i: number, ending: string): string {
  const stamp = new Date(Date.UTC(2005, 11, 1, i)).toISOString();
  return `${i < 1_000 ? 'a' : 'b'}_${stamp.slice(0, 13).replaceAll('-', '')}00Z${ending}`;
}

async function put({ content }: HostileCase, path: string): Promise<void> {
  if (typeof content === 'function') await content(path);
  else writeFileSync(path, content);
}

async function run(args: string[]) {
  const began = Date.now();
  const process = start(['ingest', ...args]);
  const memory = watchMemory(process.pid);
  const ended = await process.ended;
  return { ...ended, peakBytes: memory.stop(), ms: Date.now() - began };
}

const stoppedBy = ({ code, stdout }: { code: number | null; stdout: string }): string =>
  `${code} ${JSON.parse(stdout || '{}').error?.tag}`;

interface Outcome {
  said: string;
  content: string | null;
  /** Physical values and mask, as text to compare. */
  values: string | null;
  finite: boolean;
}

/** By name of the file: what was said of it, and what the dataset holds of it. */
async function outcomes(dataset: string, stdout: string): Promise<Map<string, Outcome>> {
  const found = new Map<string, Outcome>();
  const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  for (const { path, tag, reason } of JSON.parse(stdout).leftOut)
    found.set(nameOf(path), { said: `${tag}: ${reason}`, content: null, values: null, finite: true });
  const lines = (folder: string) =>
    readdirSync(join(dataset, folder)).flatMap((file) =>
      readFileSync(join(dataset, folder, file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
  const commits = new Map(lines('commits').map((commit) => [commit.slot, commit.frames]));
  const store = await openDataset(dataset);
  try {
    const { grid, bands } = store.description;
    const cells = grid.width * grid.height;
    const out = { values: new Float32Array(cells * bands.length), valid: new Uint8Array(cells) };
    for (const slot of lines('plan'))
      for (const [i, frame] of slot.frames.entries()) {
        const { status, reason, content } = commits.get(slot.slot)[i];
        const at = store.index.time.indexOf(frame.time);
        await store.read([at], out);
        const finite = out.values.every(
          (v, o) => !out.valid[Math.floor(o / bands.length)] || Number.isFinite(v),
        );
        const values = `${Buffer.from(out.values.buffer).toString('base64')} ${Buffer.from(out.valid).toString('base64')}`;
        found.set(nameOf(frame.sources[0].path), {
          said: status === 'ok' ? 'ok' : reason,
          content,
          values,
          finite,
        });
      }
  } finally {
    await store.close();
  }
  return found;
}

/** The bad file among two healthy ones under `stop`: what is thrown, and the exit code that the command makes of it. */
async function underStop(
  folder: string,
  one: HostileCase,
  { file, ending, healthy }: Pick<HostileClass, 'ending' | 'healthy'> & { file: string },
): Promise<{ stop: string | null; code: number; ms: number }> {
  const maps = join(folder, 'maps');
  mkdirSync(maps, { recursive: true });
  for (const i of [0, 1]) writeFileSync(join(maps, fileName(i, ending)), await healthy(i));
  await put(one, join(maps, file));
  const config = { sources: [maps], duplicates: 'first', step: '1h', assumeUtc: true };
  const began = Date.now();
  const error = await fillHere(join(folder, 'dataset'), config).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const ms = Date.now() - began;
  if (error === null) return { stop: 'ok', code: 0, ms };
  const stop = `${isStormreelError(error) ? error.tag : 'Error'}: ${(error as Error).message}`;
  return { stop, code: isStormreelError(error) ? 2 : 1, ms };
}
