/** `stormreel evaluate`: predictions, ours or anybody's, against labels. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigError } from '../pipeline/errors.js';
import {
  evaluateScores,
  framesOf,
  judgedFrames,
  type ResamplingUnits,
  readPredictions,
  resamplingUnits,
} from '../pipeline/labelling/index.js';
import { joinLabels, type LabelTable, readLabels } from '../pipeline/labels/index.js';
import { datasetAddress, openDataset } from '../pipeline/shards/index.js';
import { LabelsConfig } from '../schemas/config/index.js';
import { type Estimate, type Evaluation, PARTS, type Part } from '../schemas/records/index.js';
import { action, define } from './command.js';
import { check } from './config.js';

interface Flags {
  split?: Part;
  dataset?: string;
  assumeUtc?: boolean;
  labelColumn?: string;
  labelTimeColumn?: string;
  labelSeriesColumn?: string;
  labelTimeOffset?: string;
  labelTolerance?: string;
}

export const command = () =>
  define(
    'evaluate',
    'Compare predictions with labels: AUROC, AP, Brier, POD, FAR, CSI ..., each with a 95 % interval',
    'stormreel evaluate predictions.parquet labels.csv --split test --json',
  )
    .argument(
      '<predictions>',
      'Parquet or CSV with columns time and probability (or logit), series where there are several',
    )
    .argument('<labels>', 'CSV with columns time and label')
    .addOption(new Option('--split <part>', 'judge the frames of this part only').choices(PARTS))
    .option(
      '--dataset <folder>',
      'dataset of the frames: overlapping tiles are then drawn as blocks of neighbours',
    )
    .option('--assume-utc', 'times without a zone are UTC')
    .option('--label-column <name>', 'column of the class, 0 or 1')
    .option('--label-time-column <name>', 'column of the time')
    .option('--label-series-column <name>', 'column of the series')
    .option('--label-time-offset <span>', 'added to label times, e.g. -12h')
    .option('--label-tolerance <span>', 'largest distance between label and frame; default half a step')
    .action(
      action<Flags>(async ({ args: [predictions, labels], flags, out }) => {
        const evaluation = await evaluate(predictions, labels, flags, out.log);
        out.result(evaluation, text(evaluation));
      }),
    );

async function evaluate(
  file: string,
  labelsFile: string,
  flags: Flags,
  log: (line: string) => void,
): Promise<Evaluation> {
  const read = await readPredictions(file, { assumeUtc: flags.assumeUtc });
  const { description, index, rows } = framesOf(read);
  const without = index.ok.reduce((n, ok) => n + Number(ok === 0), 0);
  if (without > 0) log(`${without} of ${index.length} predictions have no probability and are not judged`);
  const config = labelsConfig(labelsFile, flags);
  const labels = joinLabels({ description, index }, await readLabels(config, { baseDir: '.' }), config);
  const hasPart = flags.split !== undefined;
  const part = Uint8Array.from(rows, ({ split }) => (split === null ? PARTS.length : PARTS.indexOf(split)));
  const frames = judgedFrames(
    index,
    labels,
    hasPart ? part : undefined,
    hasPart ? [PARTS.indexOf(flags.split!)] : [],
  );
  if (frames.length === 0) throw nothing(file, labelsFile, flags);
  const units = unitsOf(await placed(flags, { description, index }), labels, frames, flags);
  const probability = Float64Array.from(rows, (row) => row.probability ?? Number.NaN);
  // Log odds order the frames like probabilities and do not run into 1.
  const score = Float64Array.from(rows, (row) => row.logit ?? Number.NaN);
  const predicted = rows.some((row) => row.predicted !== null) ? rows.map((row) => row.predicted ?? 0) : null;
  const { stepMs } = description;
  return evaluateScores({ index, stepMs, labels, frames, score, probability, predicted, units });
}

function labelsConfig(file: string, flags: Flags): LabelsConfig {
  const given = {
    file: resolve(file),
    column: flags.labelColumn,
    timeColumn: flags.labelTimeColumn,
    seriesColumn: flags.labelSeriesColumn,
    timeOffset: flags.labelTimeOffset,
    tolerance: flags.labelTolerance,
    assumeUtc: flags.assumeUtc,
    unlabelled: 'ignore',
    unmatched: 'drop',
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return check(LabelsConfig, set, 'flags');
}

/** Without the dataset nobody knows which series overlap; intervals then say what they take for granted. */
function unitsOf(
  known: Pick<ReturnType<typeof framesOf>, 'description' | 'index'>,
  labels: LabelTable,
  frames: Uint32Array,
  { dataset }: Flags,
): ResamplingUnits {
  const units = resamplingUnits(known, labels, { frames });
  const isAssumed = !dataset && known.index.seriesNames.length > 1;
  return isAssumed
    ? { ...units, words: `${units.words}; series are taken as independent: give --dataset if they overlap` }
    : units;
}

/** With the dataset's footprints, where it is given. */
async function placed<Frames extends ReturnType<typeof framesOf>>(
  { dataset }: Flags,
  { description, index }: Pick<Frames, 'description' | 'index'>,
) {
  if (!dataset) return { description, index };
  const store = await openDataset(datasetAddress(dataset));
  await store.close();
  return { description: store.description, index };
}

function nothing(file: string, labelsFile: string, { split }: Flags): ConfigError {
  const where = split ? ` of the ${split} part` : '';
  return new ConfigError(`no prediction${where} in ${file} has a label in ${labelsFile}`, {
    hint: split
      ? 'leave out --split, or name another part'
      : 'look at --label-time-offset and --label-tolerance',
    fields: { predictions: file, labels: labelsFile, split: split ?? null },
  });
}

const LINES: readonly [keyof Evaluation, string][] = [
  ['auroc', 'AUROC'],
  ['ap', 'average precision'],
  ['brier', 'Brier'],
  ['bss', 'Brier skill'],
  ['logLoss', 'log loss'],
  ['eceEqualWidth', 'ECE, equal width'],
  ['eceEqualMass', 'ECE, equal mass'],
  ['pod', 'POD'],
  ['far', 'FAR'],
  ['pofd', 'POFD'],
  ['csi', 'CSI'],
  ['bias', 'frequency bias'],
  ['hss', 'HSS'],
  ['ets', 'ETS'],
  ['pss', 'PSS'],
  ['sedi', 'SEDI'],
];

function text(evaluation: Evaluation): string {
  const { n, positives, events, intervals, eventScores } = evaluation;
  const line = (name: string, { value, ci95, reason }: Estimate) => {
    const range = ci95 ? `[${ci95[0].toFixed(3)}, ${ci95[1].toFixed(3)}]` : (reason ?? '');
    return `${name.padEnd(18)} ${(value === null ? '-' : value.toFixed(4)).padStart(8)}  ${range}`;
  };
  return [
    `${n} frames, ${positives} of them storm (base rate ${(positives / (n || 1)).toFixed(4)}), ${events} events`,
    ...LINES.map(([key, name]) => line(name, evaluation[key] as Estimate)),
    line('events: POD', eventScores.pod),
    line('events: precision', eventScores.precision),
    line('events: F1', eventScores.f1),
    line('onset error, h', eventScores.onsetErrorHours),
    `intervals: ${intervals}`,
    `Brier skill against ${evaluation.climatology}`,
  ].join('\n');
}
