/** GeoTIFF keys (OGC 19-008r4) -> the name of a CRS, or its PROJ text where the keys spell it out. */
import { createRequire } from 'node:module';
import { geostationaryWkt } from './geostationary.js';

/** Numbers and texts by the names of the specification. */
export type GeoKeys = Record<string, number | string | number[]>;

interface Converted {
  proj4: string;
  coordinatesConversionParameters: { x: number; y: number };
  isGCS: boolean;
  errors: Record<string, unknown>;
}

const USER_DEFINED = 32767;
/** Transformation 15: GDAL writes the latitude of true scale where the specification has that of the origin. */
const POLAR_STEREOGRAPHIC = 15;

/** `EPSG:n`, a PROJ text, WKT, or `unknown`. */
export function geoKeysCrs(keys: GeoKeys): string {
  const projected = keys.ProjectedCSTypeGeoKey;
  const code = projected ?? keys.GeographicTypeGeoKey;
  // A user-defined projected CRS may leave its own code out.
  if (code !== undefined && code !== USER_DEFINED && !keys.PCSCitationGeoKey) return `EPSG:${code}`;
  if (projected !== undefined && projected !== USER_DEFINED) return `EPSG:${projected}`;
  const wkt = /ESRI PE String = (.+?)\|?$/s.exec(String(keys.PCSCitationGeoKey ?? ''))?.[1];
  if (wkt) return geostationaryWkt(wkt) ?? wkt;
  if (code === undefined) return 'unknown';
  if (code !== USER_DEFINED) return `EPSG:${code}`;
  return fromGeoKeys(keys) ?? 'unknown';
}

let convert: ((keys: GeoKeys) => Converted) | undefined;

/** PROJ text of keys or of an EPSG code; null where the tables do not have it or cannot say it. */
export function fromGeoKeys(keys: GeoKeys): string | null {
  // 1.4 MB of tables: loaded when a file needs them.
  convert ??= createRequire(import.meta.url)('geotiff-geokeys-to-proj4').toProj4 as typeof convert;
  const { proj4, coordinatesConversionParameters, isGCS, errors } = convert!(keys);
  const faults = Object.keys(errors).filter((name) => name !== 'bothGCSAndPCSAreSet');
  const { x } = coordinatesConversionParameters;
  // Axes to the west or south: proj4 would turn them round, and every place with them.
  if (/\+axis=\w?[ws]/.test(proj4) || WRONG.has(Number(keys.ProjectedCSTypeGeoKey))) return null;
  if (faults.length > 0 || /geocent/.test(proj4) || (isGCS && x !== 1)) return null;
  const parts = proj4.split(/\s+/).filter((part) => !/^(\+axis=|\+pm=0$|$)/.test(part));
  if (x !== 1) parts.push(`+to_meter=${x}`);
  if (UNCENTRED.has(Number(keys.ProjectedCSTypeGeoKey))) parts.push('+no_uoff');
  return polar(trueScale(parts), keys).join(' ');
}

/** Codes whose entries are wrong: feet for yards, a unit of 3.3 m for a foot, an ellipsoid where the method takes a sphere. */
const WRONG = new Set([24370, 24371, 24372, 24373, 24374, 24382, 5472, 9311]);

/** Oblique Mercators of variant A, which count from where the line meets the equator; the tables say variant B. */
const UNCENTRED = new Set([
  ...[3078, 3079, 3591, 6497, 26731, 26931, 3468, 6394, 3167, 3168, 3375, 3376, 5247, 29874],
  ...[6808, 6809, 6810, 6811, 6840, 6841, 6842, 6843],
]);

/** On cylinders the standard parallel is the one of true scale; the tables call it a cone's. */
function trueScale(parts: string[]): string[] {
  if (!parts.some((part) => /^\+proj=(merc|eqc)$/.test(part))) return parts;
  const known = parts.filter((part) => part !== '+lat_ts=undefined');
  return known.some((part) => part.startsWith('+lat_ts='))
    ? known
    : known.map((part) => part.replace(/^\+lat_1=/, '+lat_ts='));
}

/** Polar stereographic: the tables leave out which pole it is, the keys call the true-scale latitude an origin. */
function polar(parts: string[], keys: GeoKeys): string[] {
  if (!parts.includes('+proj=stere')) return parts;
  const value = (name: string) => parts.find((part) => part.startsWith(`+${name}=`))?.split('=')[1];
  const byKeys = keys.ProjCoordTransGeoKey === POLAR_STEREOGRAPHIC;
  const trueScale = value('lat_ts') ?? (byKeys ? value('lat_0') : undefined);
  if (trueScale === undefined) return parts;
  const kept = parts.filter((part) => !/^\+(lat_0|lat_ts|k_0)=/.test(part));
  const centre =
    byKeys && value('lon_0') === undefined ? [`+lon_0=${keys.ProjStraightVertPoleLongGeoKey ?? 0}`] : [];
  return [...kept, `+lat_0=${Number(trueScale) < 0 ? -90 : 90}`, `+lat_ts=${trueScale}`, ...centre];
}
