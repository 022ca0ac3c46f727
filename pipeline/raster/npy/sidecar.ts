/** The JSON file beside an array: times, place, names, and which axis is which. */
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { BadRasterError } from '../../errors.js';
import type { ByteSource } from '../bytes.js';
import type { MapHeader } from '../map.js';
import { isKnownCrs } from '../projection/index.js';
import { textTime } from '../time.js';
import { bad } from './array.js';

const MOST_SIDECAR_BYTES = 16 << 20;

const DIMENSIONS = ['time', 'y', 'x', 'band'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export const Band = z.strictObject({
  name: z.string(),
  unit: z.string().nullable().default(null),
  scale: z.number().default(1),
  offset: z.number().default(0),
});
export const Sidecar = z.looseObject({
  dimensions: z.array(z.enum(DIMENSIONS)).optional(),
  times: z.array(z.string()).optional(),
  time: z.string().optional(),
  bands: z.array(z.union([z.string(), Band])).optional(),
  crs: z.string().optional(),
  transform: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]).optional(),
  nodata: z.number().nullable().optional(),
});
export type Sidecar = z.infer<typeof Sidecar>;

export async function readSidecar({ path }: ByteSource): Promise<Sidecar> {
  const beside = path.replace(/\.npy$/i, '.json');
  const info = await stat(beside).catch(() => null);
  if (!info) return {};
  const fault = (found: string, cause?: unknown) =>
    new BadRasterError(`cannot read ${beside}: ${found}`, {
      hint: 'docs/formats.md says what may stand beside a .npy file',
      cause,
      fields: { path: beside },
    });
  if (!info.isFile() || info.size > MOST_SIDECAR_BYTES)
    throw fault(`it is no file of at most ${MOST_SIDECAR_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(beside, 'utf8'));
  } catch (cause) {
    throw fault('it is no JSON', cause);
  }
  const { success, data, error } = Sidecar.safeParse(json);
  if (success) return data;
  throw fault(`${error.issues[0].path.join('.')}: ${error.issues[0].message}`);
}

/** Two axes are rows and columns; with `times` the first of three or four is time; all others must be told. */
export function dimensionNames(source: ByteSource, shape: readonly number[], sidecar: Sidecar): Dimension[] {
  const { dimensions, times } = sidecar;
  const usual: Dimension[] | undefined =
    shape.length === 2
      ? ['y', 'x']
      : times && shape.length === 3
        ? ['time', 'y', 'x']
        : times && shape.length === 4
          ? ['time', 'y', 'x', 'band']
          : undefined;
  const names = dimensions ?? usual;
  if (!names)
    throw new BadRasterError(
      `${source.path} has ${shape.length} axes (${shape.join(' x ')}), and nothing says which is which`,
      {
        hint: `write {"dimensions": ["y", "x", "band"]} or {"times": [...]} into ${source.path.replace(/\.npy$/i, '.json')}`,
        fields: { path: source.path, shape },
      },
    );
  const whole =
    names.length === shape.length &&
    new Set(names).size === names.length &&
    names.includes('y') &&
    names.includes('x');
  if (whole) return names;
  throw bad(
    source,
    `its dimensions are [${names.join(', ')}]`,
    `y, x and at most time and band for ${shape.length} axes`,
  );
}

export function placed(
  source: ByteSource,
  { times, time, crs, transform }: Sidecar,
  count: number | null,
  assumeUtc: boolean,
): Pick<MapHeader, 'times' | 'crs' | 'transform' | 'timeText'> {
  if (count !== null && times?.length !== count)
    throw bad(
      source,
      `${times?.length ?? 'no'} times stand beside it`,
      `${count}, one for each map of the stack`,
    );
  if (count === null && times)
    throw bad(source, 'times stand beside it and it has no time axis', 'dimensions with time');
  if (crs !== undefined && !isKnownCrs(crs))
    throw bad(source, `the CRS beside it is "${crs}"`, 'EPSG:n, a PROJ text or WKT');
  return {
    times: times?.map((text) => textTime(text, source.path, assumeUtc)) ?? null,
    timeText: time ?? null,
    crs: transform ? (crs ?? 'unknown') : 'none',
    transform: transform ?? null,
  };
}
