/** Wakes a watch when the system says that a folder changed; where it says nothing (network folders), time does. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';

export interface Folders {
  /** Resolves `gatherMs` after a change (one file is written in many steps), after `ms`, or when the signal aborts. */
  changed(ms: number, gatherMs: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

export function watchFolders(sources: readonly string[]): Folders {
  let wake: (() => void) | null = null;
  let pending = false;
  const hear = () => {
    pending = true;
    wake?.();
  };
  const watchers = sources.flatMap((source) => watcherOf(source, hear) ?? []);
  return {
    changed: async (ms, gatherMs, signal) => {
      await new Promise<void>((done) => {
        if (signal?.aborted || ms <= 0) return done();
        let gather: NodeJS.Timeout | undefined;
        const end = () => {
          clearTimeout(timer);
          clearTimeout(gather);
          signal?.removeEventListener('abort', end);
          wake = null;
          done();
        };
        const timer = setTimeout(end, ms);
        signal?.addEventListener('abort', end, { once: true });
        wake = () => {
          gather ??= setTimeout(end, Math.min(gatherMs, ms));
        };
        if (pending) wake();
      });
      pending = false;
    },
    close: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Of the folder itself, or of the deepest one above a glob; null where the system cannot watch. */
function watcherOf(source: string, hear: () => void): FSWatcher | null {
  const wild = source.search(/[*?]/);
  const folder = wild < 0 ? source : dirname(`${source.slice(0, wild)}x`);
  try {
    const watcher = watch(resolve(folder), { persistent: false }, hear);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    return null;
  }
}
