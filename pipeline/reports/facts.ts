/** What the run's model records say, in words for the page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headWords } from '../models/index.js';
import { loadRecord, type ModelRecord } from '../training/index.js';
import { count, number } from './format.js';

/** Facts by name; none where the run has no model yet. */
export async function factsOf(run: string): Promise<Record<string, string>> {
  const model = await loadRecord(run).catch(() => null);
  const anomaly = await readFile(join(run, 'anomaly', 'model.json'), 'utf8')
    .then(JSON.parse)
    .catch(() => null);
  return { ...(model && modelFacts(model)), ...anomalyFacts(anomaly) };
}

function modelFacts({ config, training, positives, negatives, positiveWeight, calibration }: ModelRecord) {
  const over = config.head.kind === 'none' ? '' : ' over time';
  const head = `${headWords(config.head)}${over}`;
  const facts: Record<string, string> = {
    Model: `encoder ${config.encoder.kind}, ${head}`,
    Loss: `${training.loss}, weight of a storm ${number(positiveWeight, 2)}; ${count(positives)} storm and ${count(negatives)} calm frames counted in training`,
  };
  if (calibration)
    facts.Calibration = `${calibration.method}, storm from ${number(calibration.high)}, ends below ${number(calibration.low)}; ${calibration.fittedOn}`;
  return facts;
}

/** The sentences that anomaly scoring left about how it was fitted; other forms are passed over. */
function anomalyFacts(record: Record<string, { words?: unknown }> | null): Record<string, string> {
  const words = [record?.fit?.words, record?.calibration?.words].filter((w) => typeof w === 'string');
  return words.length > 0 ? { 'Anomaly model': words.join('; ') } : {};
}
