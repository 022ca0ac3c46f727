/** Names inside a dataset (docs/data-format.md), relative to it. */

export const layout = {
  description: 'dataset.json',
  plan: 'plan',
  revision: (n: number) => `plan/${String(n).padStart(4, '0')}.jsonl`,
  commits: 'commits',
  commit: (slot: string) => `commits/${slot}.json`,
  shards: 'shards',
  shard: (series: string, slot: string, sha256: string) =>
    `shards/${series}/${slot}-${sha256.slice(0, 8)}.arrow`,
  /** Names the manifest that readers open unless they pin another. */
  current: 'manifest.json',
  manifest: (hash8: string) => `manifest-${hash8}.arrow`,
  /** Maps whose decoding ended its process, until finalise. */
  suspects: 'suspects',
  labels: 'labels',
  /** What `repair` moved out of the way. */
  aside: (name: string) => `set-aside/${name.slice(name.lastIndexOf('/') + 1)}`,
} as const;
