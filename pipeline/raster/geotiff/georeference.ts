/** Place on Earth from GeoTIFF tags (OGC 19-008r4, sections 7.1 and B). */
import type { Transform } from '../../../schemas/records/index.js';
import { geoKeysCrs } from '../projection/index.js';
import type { Directory } from './directory.js';

const RASTER_TYPE = 1025;

/** Transform from cell corners and CRS; null and `none` when the file has neither. */
export async function georeference(page: Directory): Promise<{ transform: Transform | null; crs: string }> {
  const keys = await geoKeys(page);
  const transform = await readTransform(page);
  const pointShift = keys.get(RASTER_TYPE) === 2 ? 0.5 : 0;
  return {
    transform: transform && shift(transform, pointShift),
    crs: crsName(keys, transform !== null),
  };
}

/** Values of the key directory, some of which lie in the tags of numbers (34736) and of text (34737). */
async function geoKeys(page: Directory): Promise<Map<number, number | string>> {
  const table = (await page.numbers(34735)) ?? [];
  const numbers = (await page.numbers(34736)) ?? [];
  const text = (await page.text(34737)) ?? '';
  const keys = new Map<number, number | string>();
  for (let i = 4; i + 3 < table.length; i += 4) {
    const [key, tag, count, value] = table.slice(i, i + 4);
    if (tag === 0) keys.set(key, value);
    else if (tag === 34736 && value < numbers.length) keys.set(key, numbers[value]);
    else if (tag === 34737) keys.set(key, text.slice(value, value + count));
  }
  return keys;
}

/** Names of the specification, for what a CRS is made of. */
const NAMES: Record<number, string> = {
  2048: 'GeographicTypeGeoKey',
  2050: 'GeogGeodeticDatumGeoKey',
  2051: 'GeogPrimeMeridianGeoKey',
  2052: 'GeogLinearUnitsGeoKey',
  2053: 'GeogLinearUnitSizeGeoKey',
  2054: 'GeogAngularUnitsGeoKey',
  2055: 'GeogAngularUnitSizeGeoKey',
  2056: 'GeogEllipsoidGeoKey',
  2057: 'GeogSemiMajorAxisGeoKey',
  2058: 'GeogSemiMinorAxisGeoKey',
  2059: 'GeogInvFlatteningGeoKey',
  2061: 'GeogPrimeMeridianLongGeoKey',
  3072: 'ProjectedCSTypeGeoKey',
  3073: 'PCSCitationGeoKey',
  3074: 'ProjectionGeoKey',
  3075: 'ProjCoordTransGeoKey',
  3076: 'ProjLinearUnitsGeoKey',
  3077: 'ProjLinearUnitSizeGeoKey',
  3078: 'ProjStdParallel1GeoKey',
  3079: 'ProjStdParallel2GeoKey',
  3080: 'ProjNatOriginLongGeoKey',
  3081: 'ProjNatOriginLatGeoKey',
  3082: 'ProjFalseEastingGeoKey',
  3083: 'ProjFalseNorthingGeoKey',
  3084: 'ProjFalseOriginLongGeoKey',
  3085: 'ProjFalseOriginLatGeoKey',
  3086: 'ProjFalseOriginEastingGeoKey',
  3087: 'ProjFalseOriginNorthingGeoKey',
  3088: 'ProjCenterLongGeoKey',
  3089: 'ProjCenterLatGeoKey',
  3090: 'ProjCenterEastingGeoKey',
  3091: 'ProjCenterNorthingGeoKey',
  3092: 'ProjScaleAtNatOriginGeoKey',
  3093: 'ProjScaleAtCenterGeoKey',
  3094: 'ProjAzimuthAngleGeoKey',
  3095: 'ProjStraightVertPoleLongGeoKey',
};

function crsName(keys: Map<number, number | string>, placed: boolean): string {
  const named = [...keys].filter(([key]) => key in NAMES).map(([key, value]) => [NAMES[key], value]);
  if (named.length > 0) return geoKeysCrs(Object.fromEntries(named));
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
