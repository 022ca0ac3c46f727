/** Wheels from the Python package index that pip is set up for; pip checks their hashes. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnProgress } from '../../progress.js';
import { command, lastLines } from './command.js';
import { unavailable } from './requirements.js';

export interface Download {
  python: string;
  /** Requirements with exact versions, e.g. `tensorflow-cpu==2.21.0`. */
  requirements: string[];
  /** Folder for the wheels. */
  to: string;
  /** Size to expect, for the progress bar only. */
  megabytes: number;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** Paths of the wheels. pip keeps the partial file in its temporary folder, whose growth is the progress. */
export async function downloadWheels(options: Download): Promise<string[]> {
  const { python, requirements, to, megabytes, onProgress, signal } = options;
  const temporary = join(to, 'partial');
  await mkdir(temporary, { recursive: true });
  const report = (done: number) => onProgress?.({ stage: 'download', done, total: megabytes, unit: 'MB' });
  const watch = setInterval(async () => {
    // The last one is for pip's moving and checking.
    report(Math.min(Math.round((await folderBytes(to)) / 1e6), megabytes - 1));
  }, 500);
  try {
    const args = ['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check'];
    const patience = ['--retries', '2', '--timeout', '20'];
    const which = ['--only-binary=:all:', '--python-version', '3.11', '--dest', to, ...requirements];
    const env = { ...process.env, TMPDIR: temporary };
    const { code, stderr } = await command(python, [...args, ...patience, ...which], { env, signal });
    if (code !== 0)
      throw unavailable(
        'wheel',
        `pip could not download ${requirements[0]}: ${lastLines(stderr)}`,
        'see that pip reaches a package index (pip config list), then: stormreel backend install',
      );
  } finally {
    clearInterval(watch);
  }
  report(megabytes);
  const names = await readdir(to);
  return names.filter((name) => name.endsWith('.whl')).map((name) => join(to, name));
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (s) => (s.isFile() ? s.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((a, b) => a + b, 0);
}
