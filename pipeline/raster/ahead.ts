/** Headers of maps on other machines are asked for some files ahead: each takes the way there and back. */
import { isRemote } from '../remote/index.js';
import type { MapFile } from './list.js';
import type { MapHeader } from './map.js';

const FILES_AHEAD = 16;

/** The header of file i; call it with i ascending. */
export function headersAhead(
  files: readonly MapFile[],
  read: (path: string) => Promise<MapHeader>,
): (i: number) => Promise<MapHeader> {
  const begun = new Map<number, Promise<MapHeader>>();
  let next = 0;
  return (i) => {
    if (!isRemote(files[i].path)) return read(files[i].path);
    for (next = Math.max(next, i); next < Math.min(i + FILES_AHEAD, files.length); next++) {
      const { path, fault } = files[next];
      if (fault || !isRemote(path)) continue;
      const header = read(path);
      header.catch(() => {}); // told when its turn comes
      begun.set(next, header);
    }
    const header = begun.get(i) ?? read(files[i].path);
    begun.delete(i);
    return header;
  };
}
