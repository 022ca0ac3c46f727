/** dataset.json: created once, then only compared. */
import { type Band, DatasetDescription, type Grid } from '../../schemas/records/index.js';
import {
  BandMismatchError,
  ConfigError,
  CorruptShardError,
  GridMismatchError,
  isStormreelError,
} from '../errors.js';
import { RemoteFault } from '../remote/index.js';
import { layout } from './layout.js';
import { openSealedJson, sealJson } from './seal.js';
import { storageAt } from './storage/index.js';

/**
 * Creates dataset.json, or checks that the one there says the same; `description` may hold fewer series.
 * BandMismatchError, GridMismatchError or ConfigError name what differs.
 */
export async function settleDescription(dir: string, description: DatasetDescription): Promise<void> {
  refuseUnreadable(dir, description);
  const storage = storageAt(dir);
  await storage.prepare();
  if (await storage.createExclusive(layout.description, sealJson(description, 2))) return;
  const before = await readDescription(dir);
  if (!same(before.bands, description.bands) || before.dtype !== description.dtype)
    throw new BandMismatchError(
      `cannot add these maps to ${dir}: they have ${bandText(description)}; the dataset has ${bandText(before)}`,
      {
        hint: `choose the same bands with --bands ${before.bands.map(({ name }) => name).join(',')}, or a new folder with --out`,
        fields: { found: description.bands, expected: before.bands },
      },
    );
  for (const key of ['sourceGrid', 'grid'] as const)
    if (!same(before[key], description[key]))
      throw new GridMismatchError(
        `cannot add these maps to ${dir}: they have ${gridText(description[key])}; the dataset has ${gridText(before[key])}`,
        {
          hint: 'give the same --grid and --tiles as before, or a new folder with --out',
          fields: { found: description[key], expected: before[key] },
        },
      );
  const { series: known, ...others } = before;
  const keys = [...new Set([...Object.keys(others), 'compression'])] as (keyof typeof others)[];
  const differ = keys.filter((key) => !same(before[key], description[key]));
  if (differ.length > 0)
    throw new ConfigError(`${dir} holds a dataset with other ${differ.join(', ')}`, {
      hint: 'give the same flags as before, or a new folder with --out',
      fields: { differ },
    });
  refuseNewSeries(dir, known, description.series);
}

/** What could not be read back is not written: e.g. a transform or a scale that is no number. */
function refuseUnreadable(dir: string, description: DatasetDescription): void {
  const parsed = DatasetDescription.safeParse(JSON.parse(JSON.stringify(description)));
  if (parsed.success) return;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ConfigError(`cannot make a dataset in ${dir} of these maps: ${issues.slice(0, 3).join('; ')}`, {
    hint: 'look at the georeference, scale and offset of the first map, and at the flags that change them',
    cause: parsed.error,
    fields: { issues },
  });
}

function refuseNewSeries(
  dir: string,
  known: DatasetDescription['series'],
  wanted: DatasetDescription['series'],
): void {
  const expected = known.map(({ name }) => name);
  const strange = wanted.find((one) => !known.some((before) => same(before, one)));
  if (!strange) return;
  const { name: found } = strange;
  const shown = expected.slice(0, 5).join(', ');
  const text = expected.includes(found) ? `"${found}" elsewhere on the map` : `no "${found}"`;
  throw new ConfigError(`${dir} has the series [${shown}] and ${text}`, {
    hint:
      expected.length === 1
        ? `if these maps belong to that series: --series ${expected[0]}; else ingest all maps again into a new folder`
        : 'give the folder of the same name as before, or ingest all maps again into a new folder with --out',
    fields: { found, expected: expected.slice(0, 20) },
  });
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const bandText = ({ bands, dtype }: { bands: Band[]; dtype: string }): string =>
  `[${bands.map(({ name, unit, scale, offset }) => `${name}${unit ? ` in ${unit}` : ''}${scale === 1 && offset === 0 ? '' : ` x ${scale} + ${offset}`}`).join(', ')}] as ${dtype}`;

const gridText = ({ width, height, transform, crs }: Grid): string =>
  `${width} x ${height} cells${transform ? ` from (${transform[0]}, ${transform[3]}) of ${transform[1]} x ${transform[5]}` : ''}, ${crs}`;

/** The description of the dataset in `dir`; ConfigError when there is none. */
export async function readDescription(dir: string): Promise<DatasetDescription> {
  const storage = storageAt(dir);
  let text: string;
  try {
    text = (await storage.read(layout.description)).toString('utf8');
  } catch (cause) {
    if (isStormreelError(cause) || cause instanceof RemoteFault) throw cause;
    throw new ConfigError(`${dir} is not a dataset: it has no dataset.json`, {
      hint: `make one: stormreel ingest SOURCE --out ${dir}`,
      cause,
    });
  }
  try {
    return DatasetDescription.parse(openSealedJson(text, 2));
  } catch (cause) {
    const where = storage.locate(layout.description);
    throw new CorruptShardError(`${where} is damaged, or not of format version 1`, {
      hint: 'restore it from a copy, or move it away and run the same stormreel ingest again: what is committed stays',
      cause,
      fields: { file: where },
    });
  }
}
