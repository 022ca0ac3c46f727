/** The time axis of the fields of a file: the dimension that counts their maps, or the one time that they name. */
import { BadRasterError, TimeError } from '../../errors.js';
import { cfTime } from './times.js';
import { nearby, numberOf, textOf, type Variable, type VariableFile } from './variables.js';

export interface TimeOptions {
  /** Dates of calendars that are not of this world keep their names on the standard calendar. */
  modelDates?: boolean;
  /** Units of time axes that have none. */
  timeUnits?: string;
}

/** Longest time axis: an hour a step for 120 years. */
const MOST_TIMES = 2 ** 20;

/** Its units count from an instant. */
export const isTime = (variable: Variable): boolean => / since /i.test(textOf(variable, 'units') ?? '');

/**
 * Name of the first dimension of those fields that are maps over time: one that counts times before one of several
 * entries, before one of a single entry without units. Null where there is none. Fields on another one are other maps.
 */
export function leadOf(file: VariableFile, fields: readonly Variable[]): string | null {
  const leads = fields.filter(({ shape }) => shape.length > 2);
  const axis = ({ dimensions }: Variable) => file.variables.get(dimensions[0]);
  const found =
    leads.find((field) => axis(field) && isTime(axis(field)!)) ??
    leads.find(({ shape }) => shape[0] > 1) ??
    leads.find((field) => axis(field) && textOf(axis(field)!, 'units') === undefined);
  return found?.dimensions[0] ?? null;
}

/**
 * ms UTC of the entries of `lead`; without one, of the time that a field names among its coordinates; null where there is
 * none. TimeError: a first dimension of several entries that says nothing of times.
 */
export async function readTimes(
  file: VariableFile,
  fields: readonly Variable[],
  lead: string | null,
  { modelDates, timeUnits }: TimeOptions,
): Promise<number[] | null> {
  const { path } = file;
  const variable = lead === null ? scalarTime(file, fields) : file.variables.get(lead);
  if (lead !== null && variable?.shape.length !== 1) throw untimed(path, lead, fields);
  if (!variable) return null;
  const size = variable.shape[0] ?? 1;
  if (size > MOST_TIMES)
    throw new BadRasterError(`${path} claims ${size} times, ${MOST_TIMES} are allowed`, {
      hint: 'cut the file into shorter ones first',
      fields: { path, times: size },
    });
  const toInstant = cfTime(textOf(variable, 'units') ?? timeUnits, textOf(variable, 'calendar'), path, {
    modelDates,
  });
  const stored = await file.read(
    variable,
    variable.shape.length ? [0] : [],
    variable.shape.length ? [size] : [],
  );
  const scale = numberOf(variable, 'scale_factor') ?? 1;
  const offset = numberOf(variable, 'add_offset') ?? 0;
  return Array.from(stored, (value) => toInstant(value * scale + offset));
}

function scalarTime(file: VariableFile, fields: readonly Variable[]): Variable | undefined {
  for (const field of fields) {
    const names = (textOf(field, 'coordinates') ?? '').split(/\s+/).filter((name) => name !== '');
    const found = names
      .map((name) => nearby(file, field, name))
      .find((v) => v?.shape.length === 0 && isTime(v));
    if (found) return found;
  }
  return undefined;
}

function untimed(path: string, lead: string, fields: readonly Variable[]): TimeError {
  const field = fields.find(({ dimensions }) => dimensions.length > 2 && dimensions[0] === lead)!;
  return new TimeError(
    `the first dimension "${lead}" of ${field.name} in ${path} has ${field.shape[0]} entries and no variable that says their times`,
    {
      hint: 'give it a coordinate variable with CF units such as "hours since 1900-01-01", or write each entry as a variable of its own',
      fields: { path, dimension: lead, entries: field.shape[0] },
    },
  );
}
