/**
 * A CRS by its name -> the definition that proj4 reads. Names are `EPSG:n`, `OGC:CRS84`, a PROJ text (`+proj=geos ...`)
 * or WKT; `unknown` and `none` have no definition. Codes come from the EPSG tables of geotiff-geokeys-to-proj4.
 * Datums without parameters in those tables count as WGS 84 (off by at most some 200 m).
 */
import proj4 from 'proj4';
import { fromGeoKeys } from './geokeys.js';

/** Degrees of longitude and latitude: WGS 84, ETRS89, NAD27, NAD83, GDA94, CGCS2000, SIRGAS 2000, WGS 84 3D, GDA2020. */
const DEGREES: Record<string, string> = Object.fromEntries([
  ...[4326, 4979].map((code) => [`EPSG:${code}`, '+proj=longlat +datum=WGS84 +no_defs']),
  ...[4258, 4269, 4283, 4490, 4674, 7844].map((code) => [
    `EPSG:${code}`,
    '+proj=longlat +ellps=GRS80 +no_defs',
  ]),
  ['EPSG:4267', '+proj=longlat +ellps=clrk66 +no_defs'],
  ['OGC:CRS84', '+proj=longlat +datum=WGS84 +no_defs'],
]);

const known = new Map<string, string | null>();

/** What proj4 reads; null where the CRS has no name that we know. */
export function definitionOf(crs: string): string | null {
  const before = known.get(crs);
  if (before !== undefined) return before;
  const found = checked(define(crs.trim()));
  known.set(crs, found);
  return found;
}

export const isKnownCrs = (crs: string): boolean => definitionOf(crs) !== null;

/** True where x and y are degrees of longitude and latitude. */
export function isGeographicCrs(crs: string): boolean {
  const name = crs.trim().toUpperCase();
  if (name === 'NONE' || name === 'UNKNOWN') return false;
  return name in DEGREES || /\+proj=(longlat|latlong)\b|^GEOG(CS|CRS)\[/i.test(definitionOf(crs) ?? '');
}

/** Same name or same definition. */
export function sameCrs(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [definitionOf(a), definitionOf(b)];
  return one !== null && other !== null && plain(one) === plain(other);
}

/** Order and spaces of a PROJ text do not count. */
const plain = (text: string): string =>
  text
    .split(/\s+/)
    .filter((part) => part !== '+no_defs' && part !== '')
    .sort()
    .join(' ');

function define(crs: string): string | null {
  const name = crs.toUpperCase();
  if (name in DEGREES) return DEGREES[name];
  // proj4 does not know a sphere by its radius.
  if (/^\+proj=/.test(crs)) return crs.replace(/\+R=(\S+)/, '+a=$1 +b=$1');
  if (/^(PROJ|GEOG)(CS|CRS)\[/i.test(crs)) return crs;
  const code = Number(/^EPSG:(\d{4,6})$/.exec(name)?.[1]);
  if (!code) return null;
  return fromGeoKeys({ ProjectedCSTypeGeoKey: code });
}

/** What proj4 cannot make sense of has no definition. */
function checked(text: string | null): string | null {
  if (text === null) return null;
  if (BEYOND.test(text) && !isSphere(text)) return null;
  try {
    const sound = completed(text);
    proj4(sound, DEGREES['EPSG:4326']);
    return sound;
  } catch {
    return null;
  }
}

/** Of an ellipsoid proj4 has these as of a sphere, some 10 km off; axes that run to the west or south it does not turn. */
const BEYOND = /^\+proj=(ortho|gnom|vandg|mill)\b|\+axis=\w?[ws]/;

function isSphere(text: string): boolean {
  const [, a, b] = /\+a=(\S+) \+b=(\S+)/.exec(text) ?? [];
  return (
    !text.includes('+axis=') &&
    (/\+ellps=sphere\b/.test(text) || (a !== undefined && Number(a) === Number(b)))
  );
}

/**
 * What proj4 gets wrong unless it is told: projections without origins answer NaN, so does Lambert's equal-area one of a sphere
 * (a hair of flattening, half a metre, cures it), and a transverse Mercator of a sphere needs its short series.
 */
function completed(text: string): string {
  if (!text.startsWith('+proj=') || /\+proj=(longlat|latlong|ob_tran)\b/.test(text)) return text;
  const [, a, b] = /\+a=(\S+) \+b=(\S+)/.exec(text) ?? [];
  const round = a !== undefined && Number(a) === Number(b);
  const parts = [round && /=laea\b/.test(text) ? text.replace(/\+b=\S+/, '+rf=1e7') : text];
  if (!/=(utm|omerc)\b/.test(text))
    for (const origin of ['+lat_0=', '+lon_0=']) if (!text.includes(origin)) parts.push(`${origin}0`);
  if (!text.includes('+x_0=')) parts.push('+x_0=0');
  if (!text.includes('+y_0=')) parts.push('+y_0=0');
  if (round && /=tmerc\b/.test(text)) parts.push('+approx');
  return parts.join(' ');
}
