/** One round: an ingest by several processes while a schedule of faults hits them, then the checks. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkDataset, checkQueue } from './check.mjs';
import { mountDisk } from './disk.mjs';
import { draw } from './draws.mjs';
import { strike } from './faults.mjs';
import { MARK, processesOf, signal } from './processes.mjs';
import { startRedis } from './redis.mjs';
import { scheduleOf } from './schedule.mjs';
import { SHARD_FRAMES } from './sources.mjs';

const PROGRAM = fileURLToPath(new URL('../../bin/stormreel.js', import.meta.url));
const INJECT = new URL('inject.mjs', import.meta.url).href;
const TWIN = fileURLToPath(new URL('twin.mjs', import.meta.url));
/** A tmpfs that holds the dataset, and the queue of a round without Redis. */
const DISK_MB = 320;

/**
 * On a machine with too much to do a fault waits long for a process to strike. Those behind it are left out: all at
 * once they would strike each process as soon as it begins, and nothing would get done in a round.
 */
const LATE_MS = 5_000;

/** Ends the round that runs, processes and mounted disk included. */
export const abandon = () => running?.close(false);

let running = null;

/**
 * `kind`: 'redis' or 'pglite'. Gives `{ seed, kind, seconds, kills, faults, attempts, injected, planners, problems }`;
 * `faults` counts what struck, by kind; `problems` is empty when every promise held.
 */
export async function runRound(
  seed,
  kind,
  { folder, sources, frames, hash, seconds, everyMs, failShare, delayMs, log },
) {
  const round = await openRound(seed, kind, { folder, sources, failShare, delayMs, log });
  running = round;
  const started = Date.now();
  const problems = [];
  const patienceMs = seconds * 4_000 + 120_000;
  try {
    const work = round.runPlanner(started + patienceMs);
    const strikes = strikeAll(round, scheduleOf(seed, kind, { seconds, everyMs }), started);
    await Promise.race([work, strikes]);
    if (round.over) await strikes; // one may be under way
    await round.calm();
    if (!(await work)) problems.push(`the ingest did not end within ${Math.round(patienceMs / 1000)} s`);
    problems.push(...(await round.settle()));
    if (problems.length === 0) problems.push(...(await checkDataset(round.dataset, { frames, hash })));
    if (problems.length === 0) problems.push(...(await checkQueue(round.place)));
  } catch (error) {
    problems.push(`the check itself failed: ${error.stack}`);
  } finally {
    await round.close(problems.length > 0);
    running = null;
  }
  const { counts, planners, missed } = round;
  const kills = Object.entries(counts).reduce(
    (n, [name, count]) => n + (/^(kill|cut)/.test(name) ? count : 0),
    0,
  );
  const { attempts, injected } = round.injections();
  const took = Math.round((Date.now() - started) / 1000);
  return { seed, kind, seconds: took, kills, faults: counts, missed, attempts, injected, planners, problems };
}

async function strikeAll(round, schedule, started) {
  for (const fault of schedule) {
    await sleep(Math.max(0, started + fault.atMs - Date.now()));
    if (round.over) return;
    if (Date.now() > started + fault.atMs + LATE_MS) {
      round.missed++;
      continue;
    }
    // Nothing that could leave a file behind comes after the sweep of finalise.
    if (existsSync(join(round.dataset, 'manifest.json')) && !/Planner|Owner/.test(fault.kind)) continue;
    const hit = await strike(round, fault);
    if (hit) round.counts[fault.kind] = (round.counts[fault.kind] ?? 0) + 1;
    else round.missed++;
  }
}

async function openRound(seed, kind, { folder, sources, failShare, delayMs, log }) {
  const id = randomUUID();
  const base = join(folder, `${kind}-${seed}`);
  const disk = mountDisk(join(base, 'disk'), DISK_MB);
  const dataset = join(base, 'disk', 'dataset');
  const appendfsync = draw(seed, 'appendfsync') < 0.5 ? 'always' : 'everysec';
  const redis = kind === 'redis' ? await startRedis(join(base, 'redis'), { appendfsync }) : null;
  const env = {
    ...process.env,
    [MARK]: id,
    STORMREEL_CHAOS_INJECT: JSON.stringify({ seed, folder: join(base, 'attempts'), failShare, delayMs }),
    NODE_OPTIONS: `--import=${INJECT}`,
  };
  const run = (command, args) => {
    const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((done) => {
      let text = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (text += part));
      child.once('exit', (code, by) => setTimeout(() => done({ code, by, text }), 50));
    });
    return { child, ended };
  };
  const round = {
    id,
    dataset,
    redis,
    disk,
    log,
    over: false,
    missed: 0,
    planners: {},
    counts: {},
    /** Things to undo: what is frozen, full or down. Each ends by itself too. */
    pending: new Set(),
    wantedWorkers: 2 + Math.floor(2 * draw(seed, 'workers')),
    place: redis ? { url: redis.url } : { folder: join(dataset, 'queue') },
    processes: (role) => processesOf(id).filter((process) => process.role === role),
    twin: (groups) => {
      const { ended } = run(TWIN, [dataset, `${groups}`]);
      ended.then(({ code, text }) => code === 3 && round.clashes.push(text));
    },
    clashes: [],
  };

  /** Ingests, again whenever that ended badly, until it ends well. */
  round.runPlanner = async (deadline) => {
    if (redis) keepWorkers(round, () => run(PROGRAM, ['worker', '--queue', redis.url, '--workers', '2']));
    while (Date.now() < deadline) {
      const workers = redis ? 0 : round.wantedWorkers;
      const where = redis ? ['--queue', redis.url] : [];
      const slots = ['--shard-frames', `${SHARD_FRAMES}`, '--workers', `${workers}`];
      const planner = run(PROGRAM, ['ingest', sources, '--out', dataset, ...slots, ...where, '--json']);
      const late = setTimeout(() => planner.child.kill('SIGKILL'), Math.max(1, deadline - Date.now()));
      const { code, by, text } = await planner.ended;
      clearTimeout(late);
      if (code === 0) {
        round.over = true;
        return true;
      }
      const why =
        by ?? /"tag": ?"(\w+)"|(\w+Error|ENOSPC)/.exec(text)?.slice(1).find(Boolean) ?? `exit ${code}`;
      round.planners[why] = (round.planners[why] ?? 0) + 1;
      if (!by) log(`    planner: ${text.replace(/\s+/g, ' ').slice(0, 300)}`);
      await sleep(200);
    }
    round.over = true;
    return false;
  };

  /** Faults that last are ended now. */
  round.calm = async () => {
    for (const undo of [...round.pending]) await undo();
  };

  /** The queue runs empty, the workers end, and then no process of the round may be left. */
  round.settle = async () => {
    if (redis) for (let i = 0; i < 360 && (await checkQueue(round.place)).length > 0; i++) await sleep(500);
    for (const { pid } of round.processes('worker')) signal(pid, 'SIGTERM');
    for (let i = 0; i < 300 && processesOf(id).length > 0; i++) await sleep(200);
    const left = processesOf(id).map(({ pid, role }) => `process ${pid} (${role}) is left`);
    return [...left, ...round.clashes.map((text) => `two different commits: ${text}`)];
  };

  round.injections = () => {
    const at = join(base, 'attempts');
    const names = existsSync(at) ? readdirSync(at).filter((name) => name !== 'failures') : [];
    const failures = existsSync(join(at, 'failures')) ? readFileSync(join(at, 'failures'), 'utf8') : '';
    return {
      attempts: names.reduce((sum, name) => sum + statSync(join(at, name)).size, 0),
      injected: failures.split('\n').length - 1,
      slots: names.length,
    };
  };

  /** `keep`: leave the folders for a look. */
  round.close = async (keep) => {
    round.over = true;
    await round.calm();
    for (const { pid } of processesOf(id)) signal(pid, 'SIGKILL');
    if (redis) await redis.kill();
    const injections = round.injections();
    round.injections = () => injections;
    if (keep) return log(`    kept: ${base}`);
    disk.unmount();
    rmSync(base, { recursive: true, force: true, maxRetries: 5 });
  };
  return round;
}

/** Starts workers until as many live as are wanted; a killed one comes back, as under systemd. */
async function keepWorkers(round, startWorker) {
  while (!round.over) {
    const living = round.processes('worker').length;
    for (let i = living; i < round.wantedWorkers; i++) startWorker();
    await sleep(400);
  }
}
