import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { definitionOf } from '../../pipeline/raster/projection/definition.js';
import { geoKeysCrs } from '../../pipeline/raster/projection/geokeys.js';
import { pointMove } from '../../pipeline/raster/projection/transform.js';

/** lon, lat, x, y of one point of every projected CRS of EPSG, by pyproj (scripts/golden/codes.py). */
const points: Record<string, [number, number, number, number]> = JSON.parse(
  readFileSync(new URL('../golden/crs/codes.json', import.meta.url), 'utf8'),
);

/** Datums whose shift is not known count as WGS 84; m, or feet of the CRS. */
const NEAR = 4_000;

describe('the codes of EPSG', () => {
  it('put places where pyproj does, or are not known', () => {
    const wrong: string[] = [];
    let known = 0;
    for (const [code, [lon, lat, x, y]] of Object.entries(points)) {
      if (definitionOf(`EPSG:${code}`) === null) continue;
      known++;
      const out = new Float64Array(2);
      pointMove('EPSG:4326', `EPSG:${code}`)(lon, lat, out);
      const off = Math.hypot(out[0] - x, out[1] - y);
      if (!(off < NEAR)) wrong.push(`EPSG:${code} ${off}`);
    }
    expect(wrong).toEqual([]);
    expect(known).toBeGreaterThan(5_000);
  });

  it.each([
    ['of axes to the west and south', 'EPSG:2053'],
    ['of a sphere that the tables take for an ellipsoid', 'EPSG:9311'],
    ['of yards that the tables take for feet', 'EPSG:24371'],
    ['of an ellipsoid that proj4 takes for a sphere', '+proj=ortho +lat_0=40 +lon_0=10'],
    ['with an axis to the west', '+proj=tmerc +lon_0=29 +axis=wsu'],
  ])('%s are not known, so that no place is wrong: %s', (_, crs) => {
    expect(definitionOf(crs)).toBeNull();
  });

  it('are not needed: keys of a GeoTIFF that name the parallel of a cylinder mean the one of true scale', () => {
    const crs = geoKeysCrs({
      ...{ GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 32767, GeographicTypeGeoKey: 4326 },
      ...{ ProjectionGeoKey: 32767, ProjCoordTransGeoKey: 17, ProjLinearUnitsGeoKey: 9001 },
      ...{ ProjStdParallel1GeoKey: 30, ProjCenterLongGeoKey: 0, ProjCenterLatGeoKey: 0 },
    });
    const out = new Float64Array(2);
    pointMove('EPSG:4326', crs)(10, 20, out);
    // +proj=eqc +lat_ts=30 by pyproj.
    expect(out[0]).toBeCloseTo(964_055.07, 0);
    expect(out[1]).toBeCloseTo(2_226_389.82, 0);
  });

  it('of a sphere are', () => {
    for (const name of ['ortho +lat_0=40', 'gnom +lat_0=50', 'mill', 'vandg'])
      expect(definitionOf(`+proj=${name} +R=6371000`), name).not.toBeNull();
  });
});
