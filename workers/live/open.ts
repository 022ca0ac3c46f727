/** Opens what a watch needs, once: the record of its own, models, dataset and queue. */
import { join, resolve } from 'node:path';
import { ConfigError } from '../../pipeline/errors.js';
import { readDescription, readPlan } from '../../pipeline/shards/index.js';
import { assertFits } from '../../pipeline/training/index.js';
import { refusePictures } from './arrivals.js';
import { refuseLostDataset } from './dataset.js';
import { openFiller } from './filler.js';
import { type LiveModels, openModels } from './models.js';
import { ownRecord, settleRecord } from './record.js';
import { makeSession, type Session } from './session.js';
import type { WatchMapsOptions } from './watchMaps.js';

export async function openSession(options: WatchMapsOptions): Promise<Session> {
  const live = resolve(options.live ?? join(options.runDir, 'live'));
  const release = await ownRecord(live);
  const closers: (() => Promise<void> | void)[] = [release];
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one();
  };
  try {
    const models = await openModels(options.runDir, live);
    closers.push(models.close);
    const { record, description } = await beginRecord(options, live, models);
    const filler = await openFiller(options.dataset, { workers: 1, ...options });
    closers.push(filler.close);
    const session = makeSession(options, live, models, filler, record.base, closers, close);
    if (description) await session.openDataset();
    return session;
  } catch (error) {
    await close();
    throw error;
  }
}

async function beginRecord({ dataset, config }: WatchMapsOptions, live: string, models: LiveModels) {
  const description = await readDescription(dataset).catch((error) => {
    if (error instanceof ConfigError) return null;
    throw error;
  });
  refusePictures(config, description);
  if (description) assertFits(models.trained, { description });
  const base = description ? (await readPlan(dataset)).revision : 0;
  const record = await settleRecord(live, {
    formatVersion: 1,
    dataset,
    base,
    ...models.hashes,
  });
  refuseLostDataset(description !== null, record.base > 0, dataset, live);
  return { record, description };
}
