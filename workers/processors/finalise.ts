/** Compiles the manifest; the parent job of all slots of an ingest. */
import { type Finished, finalise } from '../../pipeline/shards/index.js';
import type { FinaliseJob } from '../../schemas/jobs/index.js';

export const finaliseDataset = ({ dataset }: FinaliseJob): Promise<Finished> => finalise(dataset);
