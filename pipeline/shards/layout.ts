/** Names inside a dataset folder (docs/data-format.md). */
import { join } from 'node:path';

export const layout = {
  description: (dir: string) => join(dir, 'dataset.json'),
  plan: (dir: string) => join(dir, 'plan'),
  revision: (dir: string, n: number) => join(dir, 'plan', `${String(n).padStart(4, '0')}.jsonl`),
  commits: (dir: string) => join(dir, 'commits'),
  commit: (dir: string, slot: string) => join(dir, 'commits', `${slot}.json`),
  shards: (dir: string) => join(dir, 'shards'),
  shard: (series: string, slot: string, sha256: string) =>
    join('shards', series, `${slot}-${sha256.slice(0, 8)}.arrow`),
  /** Names the manifest that readers open unless they pin another. */
  current: (dir: string) => join(dir, 'manifest.json'),
  manifest: (dir: string, hash8: string) => join(dir, `manifest-${hash8}.arrow`),
  /** What `repair` moved out of the way. */
  aside: (dir: string) => join(dir, 'set-aside'),
} as const;
