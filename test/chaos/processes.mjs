/** The processes of a round, told by a variable in their environment, whoever their parent is by now. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

export const MARK = 'STORMREEL_CHAOS_ROUND';

/** Living processes of round `id`: `{ pid, role }`; role: worker, planner, twin or child (of a worker or an owner). */
export function processesOf(id) {
  const found = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const role = roleOf(name, id);
    if (role) found.push({ pid: Number(name), role });
  }
  return found.sort((a, b) => a.pid - b.pid);
}

function roleOf(pid, id) {
  try {
    if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${id}\0`)) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    if (stat.slice(stat.lastIndexOf(')') + 2)[0] === 'Z') return null; // dead, not yet waited for
    const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
    if (words.some((word) => word.endsWith('twin.mjs'))) return 'twin';
    if (words.some((word) => /bullmq.*main/.test(word))) return 'child';
    return words.includes('worker') ? 'worker' : words.includes('ingest') ? 'planner' : null;
  } catch {
    return null; // gone meanwhile
  }
}

/** False when it is gone. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
