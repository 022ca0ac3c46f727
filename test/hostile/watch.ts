/** Peak memory (VmHWM) and processor time of a process and all that it started, as the kernel kept them. Linux only; 0 elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 50;

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** Begins to look; `stop` gives the largest peak of any one process, bytes, and the time of all of them, ms. */
export function watch(pid: number): { stop(): { peakBytes: number; ms: number } } {
  const peaks = new Map<number, number>();
  const times = new Map<number, number>();
  const look = () => {
    for (const one of descendants(pid)) {
      peaks.set(one, Math.max(peaks.get(one) ?? 0, peakOf(one)));
      times.set(one, Math.max(times.get(one) ?? 0, timeOf(one)));
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    stop() {
      clearInterval(timer);
      return {
        peakBytes: Math.max(0, ...peaks.values()),
        ms: [...times.values()].reduce((sum, ms) => sum + ms, 0),
      };
    },
  };
}

function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of safely(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(name)) continue;
    parents.set(Number(name), Number(statOf(name)[1]));
  }
  const found = [root];
  for (let i = 0; i < found.length; i++)
    for (const [pid, parent] of parents) if (parent === found[i]) found.push(pid);
  return found;
}

/** From its state on: the name before it, in parentheses, may hold blanks. */
function statOf(pid: number | string): string[] {
  const stat = safely(() => readFileSync(`/proc/${pid}/stat`, 'latin1'), '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function timeOf(pid: number): number {
  const stat = statOf(pid);
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) * TICK_MS;
}

function peakOf(pid: number): number {
  const status = safely(() => readFileSync(`/proc/${pid}/status`, 'latin1'), '');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
