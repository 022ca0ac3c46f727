/** The two axes of a map: evenly spaced, in degrees or in metres of their projection. */
import { BadRasterError, GridMismatchError } from '../../errors.js';
import { numberOf, textOf, type Variable, type VariableFile } from './variables.js';

export interface Axis {
  first: number;
  last: number;
  step: number;
}

const MOST_ENTRIES = 2 ** 20;

/**
 * Centres of the cells. `height`: of the satellite whose angles in radians these are, m. GridMismatchError: uneven;
 * BadRasterError: too long.
 */
export async function readAxis(file: VariableFile, name: string, height: number | null): Promise<Axis> {
  const variable = file.variables.get(name)!;
  if (variable.shape[0] > MOST_ENTRIES)
    throw new BadRasterError(
      `the axis "${name}" of ${file.path} claims ${variable.shape[0]} entries, ${MOST_ENTRIES} are allowed`,
      { hint: 'cut the map into smaller files first', fields: { path: file.path, axis: name } },
    );
  const stored = await file.read(variable, [0], [variable.shape[0]]);
  const unit = metresPer(textOf(variable, 'units') ?? '', height);
  const scale = (numberOf(variable, 'scale_factor') ?? 1) * unit;
  const offset = (numberOf(variable, 'add_offset') ?? 0) * unit;
  const values = scale === 1 && offset === 0 ? stored : stored.map((v) => v * scale + offset);
  const last = values.length - 1;
  const step = last > 0 ? (values[last] - values[0]) / last : 1;
  const worst = values.reduce((most, v, i) => Math.max(most, Math.abs(v - values[0] - i * step)), 0);
  if (step !== 0 && worst < 0.01 * Math.abs(step)) return { first: values[0], last: values[last], step };
  throw new GridMismatchError(
    `the axis "${name}" of ${file.path} is not evenly spaced (off by ${worst.toPrecision(3)} of ${step.toPrecision(3)})`,
    {
      hint: 'bring the file to a regular grid first (cdo remapbil)',
      fields: { path: file.path, axis: name },
    },
  );
}

/** What to multiply an axis by so that it is in metres, or degrees. */
function metresPer(unit: string, height: number | null): number {
  const text = unit.trim().toLowerCase();
  if (/^(km|kilomet(er|re)s?)$/.test(text)) return 1000;
  if (height === null) return 1;
  if (/^(rad|radians?)$/.test(text)) return height;
  if (/^(microradians?|urad|1e-6 rad)$/.test(text)) return height * 1e-6;
  return 1;
}

export const isLatitude = (variable: Variable): boolean =>
  /degrees?_?n/i.test(textOf(variable, 'units') ?? '') || /^lat(itude)?$/i.test(lastPart(variable.name));

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
