/** Shards that are open for reading: those used last stay open, in a number that does not grow with the data. */
import type { DatasetDescription } from '../../schemas/records/index.js';
import { type ShardFile, shardFile } from './shardFile.js';
import type { Storage } from './storage/index.js';

const MOST_OPEN_SHARDS = 32;

export function openShards(storage: Storage, description: DatasetDescription) {
  const opened = new Map<string, Promise<ShardFile>>();

  async function start(shard: string): Promise<ShardFile> {
    const file = await storage.open(shard);
    try {
      return shardFile(file, (await file.stat()).size, description);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async function close(shard: string): Promise<void> {
    const closing = opened.get(shard);
    opened.delete(shard);
    await closing?.then((file) => file.close()).catch(() => {});
  }

  return {
    close,
    async open(shard: string): Promise<ShardFile> {
      const known = opened.get(shard);
      if (known) {
        opened.delete(shard);
        opened.set(shard, known);
        return known;
      }
      if (opened.size >= MOST_OPEN_SHARDS) await close(opened.keys().next().value!);
      const opening = start(shard);
      opened.set(shard, opening);
      opening.catch(() => opened.delete(shard));
      return opening;
    },
    closeAll: async () => {
      await Promise.all([...opened.keys()].map(close));
    },
  };
}
