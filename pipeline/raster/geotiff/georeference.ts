/** Place on Earth from GeoTIFF tags (OGC 19-008r4, sections 7.1 and B). */
import type { Transform } from '../../../schemas/records/index.js';
import type { Directory } from './directory.js';

const KEY = { rasterType: 1025, geographic: 2048, projected: 3072, citation: 1026 } as const;
const USER_DEFINED = 32767;

/** Transform from cell corners and CRS; null and `none` when the file has neither. */
export async function georeference(page: Directory): Promise<{ transform: Transform | null; crs: string }> {
  const keys = await geoKeys(page);
  const transform = await readTransform(page);
  const pointShift = keys.get(KEY.rasterType) === 2 ? 0.5 : 0;
  return {
    transform: transform && shift(transform, pointShift),
    crs: crsName(keys, transform !== null),
  };
}

async function geoKeys(page: Directory): Promise<Map<number, number>> {
  const table = (await page.numbers(34735)) ?? [];
  const keys = new Map<number, number>();
  for (let i = 4; i + 3 < table.length; i += 4) if (table[i + 1] === 0) keys.set(table[i], table[i + 3]);
  return keys;
}

function crsName(keys: Map<number, number>, placed: boolean): string {
  const code = keys.get(KEY.projected) ?? keys.get(KEY.geographic);
  if (code && code !== USER_DEFINED) return `EPSG:${code}`;
  if (code === USER_DEFINED) return 'user-defined';
  return placed ? 'unknown' : 'none';
}

async function readTransform(page: Directory): Promise<Transform | null> {
  const matrix = await page.numbers(34264);
  if (matrix?.length === 16) return [matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]];
  const scale = await page.numbers(33550);
  const tie = await page.numbers(33922);
  if (!scale || !tie || tie.length < 6 || scale.length < 2) return null;
  const [i, j, , x, y] = tie;
  return [x - i * scale[0], scale[0], 0, y + j * scale[1], 0, -scale[1]];
}

/** Moves the origin from the centre of the first cell to its corner. */
function shift([x, a, b, y, d, e]: Transform, cells: number): Transform {
  return [x - cells * (a + b), a, b, y - cells * (d + e), d, e];
}
