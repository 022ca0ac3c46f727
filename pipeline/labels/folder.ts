/**
 * Classes from folder names: a frame's class is that of the folder its own source file lies in, at the frame's own
 * time. The order in which folders or files are listed plays no part.
 */
import type { PlannedFrame } from '../../schemas/records/index.js';
import { LabelJoinError } from '../errors.js';
import { formatInstant } from './instant.js';
import type { LabelRow } from './read.js';

/** One row a planned frame; join them with tolerance `0s`. LabelJoinError: a folder outside the mapping, or two classes for one frame. */
export function folderLabels(
  frames: ReadonlyMap<string, readonly PlannedFrame[]>,
  classes: Readonly<Record<string, 0 | 1>>,
): LabelRow[] {
  const rows: LabelRow[] = [];
  for (const [series, planned] of frames)
    for (const frame of planned) rows.push(folderLabel(series, frame, classes));
  return rows;
}

function folderLabel(
  series: string,
  frame: PlannedFrame,
  classes: Readonly<Record<string, 0 | 1>>,
): LabelRow {
  const found = frame.sources.map(({ path }) => classOf(path, classes));
  if (found.some((label) => label !== found[0]))
    throw new LabelJoinError(
      `the frame of ${formatInstant(frame.time)} has sources in folders of both classes: ${frame.sources.map((s) => s.path).join(', ')}`,
      { hint: 'keep all bands of one time in one class folder', fields: { time: frame.time, series } },
    );
  const where = frame.sources[0].path;
  return {
    time: frame.time,
    label: found[0],
    series,
    event: null,
    ignore: 0,
    lat: Number.NaN,
    lon: Number.NaN,
    where,
  };
}

function classOf(path: string, classes: Readonly<Record<string, 0 | 1>>): 0 | 1 {
  const folder = path.split(/[\\/]/).at(-2) ?? '';
  if (Object.hasOwn(classes, folder)) return classes[folder];
  throw new LabelJoinError(
    `${path} lies in folder "${folder}"; the classes are [${Object.keys(classes).join(', ')}]`,
    {
      hint: 'name every class folder: --label-from-folder 0=calm,1=storm',
      fields: { path, folder, classes: Object.keys(classes) },
    },
  );
}
