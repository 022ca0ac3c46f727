/** The thread beside a decoding child (watchdog.ts): looks ten times a second, and ends the process when it must. */
import { parentPort } from 'node:worker_threads';
import type { Death } from '../../pipeline/shards/index.js';
import type { WatchedMaps } from './watchdog.js';

const LOOK_EVERY_MS = 100;
/** A record that cannot be written must not keep a process alive that is stuck. */
const NOTE_WITHIN_MS = 5_000;

interface Sight {
  /** Which beginning of this map's decoding it is. */
  begun: number;
  cpuMs: number;
  rss: number;
}

let timer: NodeJS.Timeout | undefined;

parentPort?.on('message', (watched: WatchedMaps | null) => {
  clearInterval(timer);
  if (!watched) return;
  const sights = new Map<number, Sight>();
  timer = setInterval(() => look(watched, sights), LOOK_EVERY_MS);
});

function look({ dataset, maps, memoryBytes, flags }: WatchedMaps, sights: Map<number, Sight>): void {
  const counts = new Int32Array(flags);
  const running = [...maps.keys()].filter((i) => Atomics.load(counts, i) > 0);
  if (running.length === 0) {
    sights.clear();
    return;
  }
  const cpuMs = processorMs();
  const rss = process.memoryUsage.rss();
  for (const i of running) {
    const begun = Atomics.load(counts, maps.length + i);
    const sight = sights.get(i);
    if (sight?.begun !== begun) {
      sights.set(i, { begun, cpuMs, rss });
      continue;
    }
    const cause =
      cpuMs - sight.cpuMs > maps[i].cpuMs ? 'time' : rss - sight.rss > memoryBytes ? 'memory' : null;
    if (cause === null) continue;
    clearInterval(timer);
    const limitOf = (map: WatchedMaps['maps'][number]) => (cause === 'time' ? map.cpuMs : memoryBytes);
    const alone = running.length === 1;
    void end(
      running.map((at) => {
        const death: Death = { paths: maps[at].paths, cause, limit: limitOf(maps[at]), alone };
        return note(dataset, maps[at].key, death);
      }),
    );
    return;
  }
}

async function end(notes: Promise<void>[]): Promise<void> {
  const late = new Promise<void>((done) => setTimeout(done, NOTE_WITHIN_MS));
  await Promise.race([Promise.allSettled(notes), late]);
  process.kill(process.pid, 'SIGKILL');
}

/** Loaded when there is something to note: a thread that only looks starts at once. */
async function note(dataset: string, key: string, death: Death): Promise<void> {
  const { noteDeath } = await import('../../pipeline/shards/index.js');
  await noteDeath(dataset, key, death);
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
