/** Peak memory of a process and all that it started, as the kernel kept it (VmHWM). Linux only; 0 elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 50;

/** Begins to look; `stop` gives the largest peak of any one process, bytes. */
export function watchMemory(pid: number): { stop(): number } {
  const peaks = new Map<number, number>();
  const look = () => {
    for (const one of descendants(pid)) peaks.set(one, Math.max(peaks.get(one) ?? 0, peakOf(one)));
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  look();
  return {
    stop() {
      clearInterval(timer);
      return Math.max(0, ...peaks.values());
    },
  };
}

function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of safely(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = safely(() => readFileSync(`/proc/${name}/stat`, 'latin1'), '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const found = [root];
  for (let i = 0; i < found.length; i++)
    for (const [pid, parent] of parents) if (parent === found[i]) found.push(pid);
  return found;
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
