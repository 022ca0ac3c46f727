/** Trains on the small dataset in a process of its own, to be killed: node child.js FOLDER. */
import { join } from 'node:path';
import { openBackend } from '../../pipeline/tensor/index.js';
import { fitModel, saveTrained } from '../../pipeline/training/index.js';
import { modelConfig, small, trainingConfig } from './fixture.js';

const [, , folder] = process.argv;
await openBackend();
const trained = await fitModel({
  ...small(),
  model: modelConfig({ encoder: { kind: 'cnn', widths: [4, 6] }, head: { kind: 'gru', units: 3 } }),
  training: trainingConfig({ ensemble: 2, steps: 50, checkpointEvery: 10, noise: 0.1, mirror: true }),
  checkpointDir: join(folder, 'checkpoints'),
  log: join(folder, 'log.jsonl'),
  resume: true,
});
await saveTrained(folder, trained);
