/** Takes away what nobody needs: temporary files, shards that no commit names, commits whose slot others took the place of. */
import type { Slot } from '../../schemas/records/index.js';
import { layout } from './layout.js';
import { readPlan } from './plan.js';
import { readCommit } from './slot.js';
import { storageAt } from './storage/index.js';

/**
 * `named`: shards of a finished state, which stay. Any other is looked at again before it goes, since a later revision
 * may have been planned and committed meanwhile: what its commit names stays, and so does a shard whose commit is yet
 * to come.
 */
export async function sweep(dir: string, named: ReadonlySet<string>): Promise<void> {
  const storage = storageAt(dir);
  await storage.sweep();
  await storage.remove(layout.suspects); // what was found out about them stands in the commits
  const strange = new Map<string, string>();
  for (const name of await storage.list(layout.shards, { deep: true })) {
    const [series, ...rest] = name.split('/');
    const entry = `${layout.shards}/${series}/${rest[0]}`;
    if (rest.length > 0 && !named.has(entry)) strange.set(entry, rest[0]); // a file beside the folders is not ours
  }
  const { slots } = await readPlan(dir);
  await sweepCommits(dir, slots);
  if (strange.size === 0) return;
  const inForce = new Set(slots.map(({ slot }) => slot));
  for (const [entry, name] of strange) {
    const slot = /^(.+)-[0-9a-f]{8}\.arrow$/.exec(name)?.[1];
    if (slot === undefined || !inForce.has(slot) || (await isAbandoned(dir, slot, entry)))
      await storage.remove(entry);
  }
}

async function isAbandoned(dir: string, slot: string, shard: string): Promise<boolean> {
  const commit = await readCommit(dir, slot);
  return commit !== null && commit.shard !== shard;
}

/** A slot out of force is never looked at again once those in its place are committed. */
async function sweepCommits(dir: string, slots: readonly Slot[]): Promise<void> {
  if (!slots.some(({ supersedes }) => supersedes)) return;
  const storage = storageAt(dir);
  const committed = new Set(await storage.list(layout.commits));
  for (const { slot, supersedes = [] } of slots) {
    if (!committed.has(`${slot}.json`)) continue;
    for (const before of supersedes)
      if (committed.has(`${before}.json`)) await storage.remove(layout.commit(before));
  }
}
