import * as z from 'zod';
import { Duration, Span } from './common.js';

/** Where labels come from and how they meet the frames. */
export const LabelsConfig = z.strictObject({
  /** CSV with a header; relative to the config file. */
  file: z.string().optional(),
  /** Folder name -> class, e.g. `{calm: 0, storm: 1}`. */
  fromFolder: z.record(z.string(), z.union([z.literal(0), z.literal(1)])).optional(),
  /** Name of the source; default: the file's base name. */
  source: z.string().optional(),
  column: z.string().default('label'),
  timeColumn: z.string().default('time'),
  /** Column that names the series of a row; default: `series` where the file has it. */
  seriesColumn: z.string().optional(),
  latColumn: z.string().default('lat'),
  lonColumn: z.string().default('lon'),
  /** Column that names the storm of a row; default: `event_id` where the file has it. */
  eventColumn: z.string().optional(),
  /** Added to every label time before the join, e.g. `-12h` for noon labels of daily means stamped 00:00. */
  timeOffset: Span.default('0h'),
  /** Largest distance between a label and its frame; default: half a step. */
  tolerance: Duration.optional(),
  assumeUtc: z.boolean().default(false),
  /** Frames without a label: an error, taken as class 0, or left out of loss and metrics. */
  unlabelled: z.enum(['error', 'negative', 'ignore']).default('error'),
  /** Labels without a frame: an error, or counted and left out. */
  unmatched: z.enum(['error', 'drop']).default('error'),
});
export type LabelsConfig = z.infer<typeof LabelsConfig>;

const Range = z.tuple([z.string(), z.string()]);

/**
 * Which frames train, validate and test. A range is half open: from <= time < to. `embargo`: time kept free between parts,
 * on top of the length of a window.
 */
export const SplitConfig = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('dates'),
    train: Range,
    validation: Range.optional(),
    test: Range.optional(),
    embargo: Duration.default('0h'),
  }),
  /** Time cut into `blocks` equal parts (or calendar years); `fold` is the test block. */
  z.strictObject({
    by: z.literal('blocks'),
    blocks: z.union([z.int().min(2), z.literal('years')]),
    fold: z.int().min(0),
    /** Share of the non-test blocks' end that validates; 0 for none. */
    validation: z.number().min(0).max(0.5).default(0),
    embargo: Duration.default('0h'),
  }),
  /** Series by name; `*` stands for any text, `!name` leaves out: train ['*', '!a'], test ['a'] is leave one series out. */
  z.strictObject({
    by: z.literal('series'),
    train: z.array(z.string()).min(1),
    validation: z.array(z.string()).default([]),
    test: z.array(z.string()).default([]),
    embargo: Duration.default('0h'),
  }),
  /** Leaks between neighbours in time; refused unless `acceptLeak` is true, and the report says so in red. */
  z.strictObject({
    by: z.literal('random'),
    test: z.number().min(0).max(0.9),
    acceptLeak: z.literal(true),
    seed: z.int().default(0),
  }),
]);
export type SplitConfig = z.infer<typeof SplitConfig>;
