/** CRS of a field by its grid mapping (CF conventions, appendix F), as a PROJ text. */
import { isKnownCrs } from '../projection/index.js';
import { nearby, numberOf, textOf, type Variable, type VariableFile } from './variables.js';

export interface Mapping {
  crs: string;
  /** Height of a geostationary satellite, m: axes in radians times this are metres. */
  height: number | null;
}

/** Null without a mapping; `unknown` for one that is not in the table below and has no WKT. */
export function gridMapping(file: VariableFile, field: Variable): Mapping | null {
  // `crs: x y` names axes as well.
  const name = textOf(field, 'grid_mapping')?.trim().split(/[\s:]/)[0];
  const mapping = name ? nearby(file, field, name) : undefined;
  if (!mapping) return null;
  const kind = textOf(mapping, 'grid_mapping_name');
  const projection =
    kind === undefined ? undefined : PROJECTIONS[kind]?.((key) => numberOf(mapping, key), mapping);
  const height = kind === 'geostationary' ? (numberOf(mapping, 'perspective_point_height') ?? null) : null;
  if (kind === 'latitude_longitude') return { crs: 'EPSG:4326', height };
  const spelled =
    projection && !/undefined|NaN/.test(projection) ? `${projection} ${figure(mapping)} +no_defs` : null;
  const candidates = [spelled, textOf(mapping, 'crs_wkt'), textOf(mapping, 'spatial_ref')];
  const crs = candidates.find((text) => text && isKnownCrs(text)) ?? 'unknown';
  return { crs, height };
}

type Get = (key: string) => number | undefined;

const origin = (get: Get): string =>
  `+x_0=${get('false_easting') ?? 0} +y_0=${get('false_northing') ?? 0} +units=m`;
const centre = (get: Get): string =>
  `+lat_0=${get('latitude_of_projection_origin')} +lon_0=${get('longitude_of_projection_origin')}`;

/** One or two numbers. */
function parallels({ attributes }: Variable): number[] {
  return [attributes.get('standard_parallel') ?? []].flat().map(Number);
}

const PROJECTIONS: Record<string, (get: Get, mapping: Variable) => string> = {
  geostationary(get, mapping) {
    const fixed = textOf(mapping, 'fixed_angle_axis');
    // The axis that does not sweep is the fixed one.
    const sweep = textOf(mapping, 'sweep_angle_axis') ?? (fixed && (fixed === 'x' ? 'y' : 'x'));
    return `+proj=geos +h=${get('perspective_point_height')} +lon_0=${get('longitude_of_projection_origin')} +sweep=${sweep} ${origin(get)}`;
  },
  lambert_conformal_conic(get, mapping) {
    const [one, two = one] = parallels(mapping);
    const lat = get('latitude_of_projection_origin') ?? one;
    return `+proj=lcc +lat_1=${one} +lat_2=${two} +lat_0=${lat} +lon_0=${get('longitude_of_central_meridian')} ${origin(get)}`;
  },
  albers_conical_equal_area(get, mapping) {
    const [one, two = one] = parallels(mapping);
    return `+proj=aea +lat_1=${one} +lat_2=${two} +lat_0=${get('latitude_of_projection_origin')} +lon_0=${get('longitude_of_central_meridian')} ${origin(get)}`;
  },
  polar_stereographic(get, mapping) {
    const pole = get('latitude_of_projection_origin');
    const lon = get('straight_vertical_longitude_from_pole') ?? get('longitude_of_projection_origin');
    const scale = get('scale_factor_at_projection_origin');
    const [parallel] = parallels(mapping);
    const size = parallel !== undefined ? `+lat_ts=${parallel}` : `+k_0=${scale}`;
    return `+proj=stere +lat_0=${pole} +lon_0=${lon} ${size} ${origin(get)}`;
  },
  lambert_azimuthal_equal_area: (get) => `+proj=laea ${centre(get)} ${origin(get)}`,
  azimuthal_equidistant: (get) => `+proj=aeqd ${centre(get)} ${origin(get)}`,
  stereographic: (get) =>
    `+proj=stere ${centre(get)} +k_0=${get('scale_factor_at_projection_origin') ?? 1} ${origin(get)}`,
  transverse_mercator: (get) =>
    `+proj=tmerc +lat_0=${get('latitude_of_projection_origin')} +lon_0=${get('longitude_of_central_meridian')} +k_0=${get('scale_factor_at_central_meridian') ?? 1} ${origin(get)}`,
  mercator(get, mapping) {
    const [parallel] = parallels(mapping);
    const size =
      parallel !== undefined
        ? `+lat_ts=${parallel}`
        : `+k_0=${get('scale_factor_at_projection_origin') ?? 1}`;
    return `+proj=merc +lon_0=${get('longitude_of_projection_origin')} ${size} ${origin(get)}`;
  },
  rotated_latitude_longitude: (get) =>
    `+proj=ob_tran +o_proj=longlat +o_lat_p=${get('grid_north_pole_latitude')} +o_lon_p=${get('north_pole_grid_longitude') ?? 0} +lon_0=${180 + (get('grid_north_pole_longitude') ?? Number.NaN)}`,
};

/** Figure of the Earth; WGS 84 where the mapping leaves it out. */
function figure(mapping: Variable): string {
  const a = numberOf(mapping, 'semi_major_axis') ?? numberOf(mapping, 'earth_radius');
  if (a === undefined) return '+datum=WGS84';
  const b = numberOf(mapping, 'semi_minor_axis');
  if (b !== undefined) return `+a=${a} +b=${b}`;
  const flattening = numberOf(mapping, 'inverse_flattening');
  return flattening ? `+a=${a} +rf=${flattening}` : `+a=${a} +b=${a}`;
}
