/** One installer at a time: a file made exclusively that holds its maker's process id. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work` alone among processes of this machine; a lock whose process is gone is taken over. */
export async function withLock<A>(path: string, work: () => Promise<A>, signal?: AbortSignal): Promise<A> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await take(path))) {
    if (await abandoned(path)) await rm(path, { force: true });
    else await sleep(300, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function abandoned(path: string): Promise<boolean> {
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (!pid) {
    // Being written this moment, or its writer died in between: look again once.
    await sleep(200);
    return !Number(await readFile(path, 'utf8').catch(() => '1'));
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
