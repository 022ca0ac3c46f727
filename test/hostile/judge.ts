/**
 * One class of bad files through ingest, and what became of each of them: all of the class in one run beside healthy
 * neighbours, then each among two healthy ones under `stop`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isStormreelError } from '../../pipeline/errors.js';
import { openDataset } from '../../pipeline/shards/index.js';
import { filledHere } from '../integration/fillHere.js';
import { start } from '../integration/program.js';
import type { HostileCase, HostileClass } from './corpus/case.js';
import { watch } from './watch.js';

export interface Verdict {
  name: string;
  maybe: boolean;
  /** `ok`, or why not: tag and text. Null when nothing was said of it. */
  skip: string | null;
  /** The same under `stop`, with its exit code. */
  stop: string;
  code: number;
  /** Processor time of the run under `stop`, all threads, ms. */
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
  /** All of them under `stop`: exit code and tag of the error. */
  stopped: string;
  /** Of the run under `skip`. */
  code: number | null;
  stderr: string;
  /** Of any one process, and processor time of all together. */
  peakBytes: number;
  ms: number;
}

const SETTINGS = { duplicates: 'first', step: '1h', assumeUtc: true };
const FLAGS = ['--json', '--quiet', '--duplicates', 'first', '--step', '1h', '--assume-utc'];

/** `folder` is made and removed. `command`: by the program itself, with its queue and workers; otherwise in this process. */
export async function judge(folder: string, one: HostileClass, command: boolean): Promise<Judged> {
  try {
    // More of them than of the others: where most maps differ from the first, the first is the odd one.
    const good = Array.from({ length: one.cases.length + 3 }, (_, i) => i);
    const healthy = await Promise.all(good.map((i) => one.healthy(i)));
    const alone = await lay(join(folder, 'alone'), one, healthy, []);
    const maps = await lay(join(folder, 'maps'), one, healthy, one.cases);
    const quiet = await filledHere(join(folder, 'quiet'), { sources: alone, ...SETTINGS });
    const before = await outcomes(join(folder, 'quiet'), quiet.leftOut);
    const noisy = await skipping(join(folder, 'noisy'), maps, command);
    const told = noisy.code === 0 ? await outcomes(join(folder, 'noisy'), noisy.leftOut) : new Map();
    const verdicts: Verdict[] = [];
    for (const [i, bad] of one.cases.entries()) {
      const said = told.get(stemOf(BAD + i))?.said ?? null;
      const stopped = await underStop(join(folder, `stop${i}`), one, healthy.slice(0, 2), bad);
      verdicts.push({ name: bad.name, maybe: bad.maybe ?? false, skip: said, ...stopped });
    }
    const stems = good.map(stemOf);
    return {
      ...{ name: one.name, verdicts, code: noisy.code, stderr: noisy.stderr },
      ...{ peakBytes: noisy.peakBytes, ms: noisy.ms },
      stopped: await stopping(join(folder, 'stopped'), maps, command),
      harmed: stems.filter((s) => !before.get(s)?.values || told.get(s)?.values !== before.get(s)?.values),
      retyped: stems.some((s) => told.get(s)?.content !== before.get(s)?.content),
      poisoned: [...told].filter(([, { finite }]) => !finite).map(([stem]) => stem),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Hour of the first bad file. */
const BAD = 1_000;

function stemOf(i: number): string {
  const stamp = new Date(Date.UTC(2005, 11, 1, i)).toISOString();
  return `${i < BAD ? 'a' : 'b'}_${stamp.slice(0, 13).replaceAll('-', '')}00Z`;
}

/** Sources. */
async function lay(
  folder: string,
  { ending, innerTimes = false, named = false }: HostileClass,
  healthy: readonly HostileCase['content'][],
  bad: readonly HostileCase[],
): Promise<string[]> {
  const paths: string[] = [];
  const put = async (content: HostileCase['content'], i: number) => {
    const own = innerTimes ? (i < BAD ? 'healthy' : `series${i}`) : '';
    const path = join(folder, own, `${stemOf(i)}${ending}`);
    mkdirSync(dirname(path), { recursive: true });
    paths.push(path);
    if (typeof content === 'function') await content(path);
    else writeFileSync(path, content);
  };
  for (const [i, content] of healthy.entries()) await put(content, i);
  for (const [i, { content }] of bad.entries()) await put(content, BAD + i);
  return named ? paths : [folder];
}

type LeftOut = { path: string; tag: string; reason: string }[];

async function skipping(out: string, sources: string[], command: boolean) {
  if (command) {
    const { stdout, ...ended } = await run([...sources, '--out', out, '--on-bad-frame', 'skip', ...FLAGS]);
    return { ...ended, leftOut: (ended.code === 0 ? JSON.parse(stdout).leftOut : []) as LeftOut };
  }
  const began = process.cpuUsage();
  const { leftOut } = await filledHere(out, { sources, onBadFrame: 'skip', ...SETTINGS });
  return { code: 0, stderr: '', leftOut, ms: spent(began), peakBytes: 0 };
}

async function stopping(out: string, sources: string[], command: boolean): Promise<string> {
  if (command) {
    const { code, stdout } = await run([...sources, '--out', out, ...FLAGS]);
    return `${code} ${JSON.parse(stdout || '{}').error?.tag}`;
  }
  const { code, stop } = await refusal(out, sources);
  return `${code} ${/^\w+/.exec(stop)?.[0]}`;
}

async function run(args: string[]) {
  const process = start(['ingest', ...args]);
  const watched = watch(process.pid);
  const ended = await process.ended;
  return { ...ended, ...watched.stop() };
}

const spent = (began: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(began);
  return Math.round((user + system) / 1_000);
};

interface Outcome {
  said: string;
  content: string | null;
  /** Physical values and mask, as text to compare. */
  values: string | null;
  finite: boolean;
}

/** By name of the file without its ending: what was said of it, and what the dataset holds of it. */
async function outcomes(dataset: string, leftOut: LeftOut): Promise<Map<string, Outcome>> {
  const found = new Map<string, Outcome>();
  const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).split('.')[0];
  for (const { path, tag, reason } of leftOut)
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
    const { index } = store;
    for (const slot of lines('plan').filter(({ frames }) => frames))
      for (const [i, frame] of slot.frames.entries()) {
        const { status, reason, content } = commits.get(slot.slot)[i];
        const at = index.time.findIndex(
          (time, row) => time === frame.time && index.seriesNames[index.series[row]] === slot.series,
        );
        await store.read([at], out);
        const finite = out.values.every(
          (v, o) => !out.valid[Math.floor(o / bands.length)] || Number.isFinite(v),
        );
        const bytes = [Buffer.from(out.values.buffer), Buffer.from(out.valid)].map((b) =>
          b.toString('base64'),
        );
        const said = status === 'ok' ? 'ok' : reason;
        found.set(nameOf(frame.sources[0].path), { said, content, values: bytes.join(' '), finite });
      }
  } finally {
    await store.close();
  }
  return found;
}

/** The bad file among two healthy ones under `stop`: what is thrown, and the exit code that the command makes of it. */
async function underStop(
  folder: string,
  one: HostileClass,
  healthy: readonly HostileCase['content'][],
  bad: HostileCase,
): Promise<{ stop: string; code: number; ms: number }> {
  const sources = await lay(join(folder, 'maps'), one, healthy, [bad]);
  const began = process.cpuUsage();
  const refused = await refusal(join(folder, 'dataset'), sources);
  const ms = spent(began);
  rmSync(folder, { recursive: true, force: true });
  return { ...refused, ms };
}

async function refusal(out: string, sources: string[]): Promise<{ stop: string; code: number }> {
  try {
    await filledHere(out, { sources, ...SETTINGS });
    return { stop: 'ok', code: 0 };
  } catch (error) {
    const typed = isStormreelError(error);
    return { stop: `${typed ? error.tag : 'Error'}: ${(error as Error).message}`, code: typed ? 2 : 1 };
  }
}
