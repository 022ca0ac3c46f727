/** A small disk for a dataset: a tmpfs where one may be mounted (root on Linux), so that it can be filled. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** `fill` is null where no tmpfs can be mounted. */
export function mountDisk(folder, megabytes) {
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) return { fill: null, empty: () => {}, unmount: () => {} };
  const ballast = join(folder, 'ballast');
  return {
    fill: () => {
      const file = openSync(ballast, 'w');
      for (const size of [2 ** 20, 2 ** 12])
        try {
          for (const block = Buffer.alloc(size); ; ) writeSync(file, block);
        } catch {
          // no room for a block of this size
        }
      closeSync(file);
    },
    empty: () => rmSync(ballast, { force: true }),
    unmount: () => {
      spawnSync('umount', ['-l', folder]);
    },
  };
}
