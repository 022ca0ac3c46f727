/** First draft of a split: the part of each frame by date, block, series name or chance, before events and embargo. */
import { type SplitConfig, spanMs } from '../../schemas/config/index.js';
import { ConfigError, LeakError, TimeError } from '../errors.js';
import { parseInstant } from '../labels/index.js';
import { Random } from '../random.js';
import type { FrameIndex } from '../shards/index.js';
import { NONE, TEST, TRAIN, VALIDATION } from './embargo.js';

type By<Kind extends SplitConfig['by']> = Extract<SplitConfig, { by: Kind }>;

/** Frames of half-open date ranges; all others take no part. ConfigError: an empty range; LeakError: two that overlap. */
export function assignDates(index: FrameIndex, config: By<'dates'>): Uint8Array {
  const ranges = [
    { name: 'train', part: TRAIN, range: config.train },
    { name: 'validation', part: VALIDATION, range: config.validation },
    { name: 'test', part: TEST, range: config.test },
  ].flatMap(({ name, part, range }) => (range ? [{ name, part, ...toRange(name, range) }] : []));
  refuseOverlap(ranges);
  const part = new Uint8Array(index.length).fill(NONE);
  for (let frame = 0; frame < index.length; frame++)
    for (const range of ranges)
      if (index.time[frame] >= range.from && index.time[frame] < range.to) part[frame] = range.part;
  return part;
}

/** Test block `fold` of equal spans of time or of calendar years; the end of the rest validates. */
export function assignBlocks(index: FrameIndex, stepMs: number, config: By<'blocks'>): Uint8Array {
  const blockOf = config.blocks === 'years' ? yearBlocks(index) : equalBlocks(index, stepMs, config.blocks);
  if (config.fold >= blockOf.count)
    throw new ConfigError(`fold ${config.fold} of ${blockOf.count} blocks [${blockOf.names.join(', ')}]`, {
      hint: `choose split.fold from 0 to ${blockOf.count - 1}`,
      fields: { fold: config.fold, blocks: blockOf.count },
    });
  const part = new Uint8Array(index.length);
  const rest = new Set<number>();
  for (let frame = 0; frame < index.length; frame++) {
    part[frame] = blockOf.at(index.time[frame]) === config.fold ? TEST : TRAIN;
    if (part[frame] === TRAIN) rest.add(index.time[frame]);
  }
  const times = Float64Array.from(rest).sort();
  const from = times[Math.ceil(times.length * (1 - config.validation))] ?? Infinity;
  for (let frame = 0; frame < index.length; frame++)
    if (part[frame] === TRAIN && index.time[frame] >= from) part[frame] = VALIDATION;
  return part;
}

/** Frames of series named by patterns; `!pattern` leaves series out. ConfigError: a pattern that names nothing; LeakError: a series in two parts. */
export function assignSeries(index: FrameIndex, config: By<'series'>): Uint8Array {
  const partOf = new Map<number, number>();
  const lists = [
    { part: TRAIN, patterns: config.train },
    { part: VALIDATION, patterns: config.validation },
    { part: TEST, patterns: config.test },
  ];
  for (const { part, patterns } of lists)
    for (const series of chosen(index.seriesNames, patterns)) {
      const before = partOf.get(series) ?? part;
      if (before !== part) throw twice(index.seriesNames[series]);
      partOf.set(series, part);
    }
  return Uint8Array.from(index.series, (series) => partOf.get(series) ?? NONE);
}

/** Frames by chance: neighbours in time lie on both sides, so this leaks by design. */
export function assignRandom(index: FrameIndex, config: By<'random'>): Uint8Array {
  const order = Random.from(config.seed).key('random split').permutation(index.length);
  const part = new Uint8Array(index.length);
  for (const frame of order.subarray(0, Math.round(index.length * config.test))) part[frame] = TEST;
  return part;
}

/** The embargo a split keeps: the length of a window and the configured span on top of it. */
export function embargoOf(config: SplitConfig, windowLength: number, stepMs: number | null): number {
  if (config.by === 'random') return 0;
  return windowLength * (stepMs ?? 0) + Math.max(0, spanMs(config.embargo));
}

function toRange(name: string, [from, to]: [string, string]): { from: number; to: number } {
  const range = { from: toInstant(from, name), to: toInstant(to, name) };
  if (range.from < range.to) return range;
  throw new ConfigError(`the ${name} range ${from}/${to} is empty`, {
    hint: `a range is half open, from <= time < to: --split ${name}=2017-01-01/2018-01-01`,
    fields: { part: name, from, to },
  });
}

function toInstant(text: string, name: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const time = parseInstant(text, { assumeUtc: isDate });
  if (typeof time === 'number') return time;
  throw new TimeError(`cannot read "${text}" in the ${name} range: ${time}`, {
    hint: 'write 2017-08-31 (00:00 UTC) or 2017-08-31T06:00Z',
    fields: { part: name, value: text, fault: time },
  });
}

function refuseOverlap(ranges: { name: string; from: number; to: number }[]): void {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1], sorted[i]];
    if (b.from >= a.to) continue;
    throw new LeakError(
      `the ${a.name} and ${b.name} ranges share the time from ${new Date(b.from).toISOString()}`,
      { hint: 'choose ranges that do not overlap', fields: { parts: [a.name, b.name] } },
    );
  }
}

interface Blocks {
  count: number;
  names: string[];
  at(time: number): number;
}

function yearBlocks(index: FrameIndex): Blocks {
  const yearOf = (time: number) => new Date(time).getUTCFullYear();
  const years = [...new Set(index.time.map(yearOf))].sort((a, b) => a - b);
  return { count: years.length, names: years.map(String), at: (time) => years.indexOf(yearOf(time)) };
}

function equalBlocks(index: FrameIndex, stepMs: number, count: number): Blocks {
  let [first, last] = [Infinity, -Infinity];
  for (const time of index.time) {
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  const span = (last + stepMs - first) / count;
  return {
    count,
    names: Array.from({ length: count }, (_, b) => new Date(first + b * span).toISOString().slice(0, 10)),
    at: (time) => Math.min(count - 1, Math.floor((time - first) / span)),
  };
}

function chosen(names: readonly string[], patterns: readonly string[]): Set<number> {
  const found = new Set<number>();
  for (const pattern of patterns)
    if (!pattern.startsWith('!')) for (const series of matching(names, pattern)) found.add(series);
  for (const pattern of patterns)
    if (pattern.startsWith('!')) for (const series of matching(names, pattern.slice(1))) found.delete(series);
  return found;
}

function matching(names: readonly string[], pattern: string): number[] {
  const text = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${text.join('.*')}$`);
  const found = names.flatMap((name, i) => (expression.test(name) ? [i] : []));
  if (found.length > 0) return found;
  throw new ConfigError(
    `no series is called "${pattern}"; the dataset has [${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}]`,
    {
      hint: 'name series as `stormreel dataset info` lists them; * stands for any text',
      fields: { pattern, series: names.length },
    },
  );
}

function twice(name: string): LeakError {
  return new LeakError(`series "${name}" is named in two parts of the split`, {
    hint: `name each series once; to leave this one out of a pattern: "*", "!${name}"`,
    fields: { series: [name, name] },
  });
}
