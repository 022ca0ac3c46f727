/** The view of a geostationary satellite in WKT of ESRI and GDAL, which proj4 does not read -> PROJ text. */

/** Null where `wkt` is of another projection, or does not say how the satellite scans. */
export function geostationaryWkt(wkt: string): string | null {
  const written = /EXTENSION\["PROJ4",\s*"([^"]+)"\]/i.exec(wkt)?.[1];
  if (written) return written;
  if (!/PROJECTION\["Geostationary_Satellite"/i.test(wkt)) return null;
  const parameter = (names: string) => {
    const found = new RegExp(`PARAMETER\\["(?:${names})",\\s*([-+.\\deE]+)`, 'i').exec(wkt)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const [axis, flattening] = /SPHEROID\["[^"]*",\s*([-+.\deE]+),\s*([-+.\deE]+)/i.exec(wkt)?.slice(1) ?? [];
  const height = parameter('Height|satellite_height');
  const option = parameter('Option');
  if (axis === undefined || height === undefined || option === undefined) return null;
  return [
    `+proj=geos +h=${height} +lon_0=${parameter('Longitude_Of_Center|central_meridian') ?? 0}`,
    `+sweep=${option === 0 ? 'y' : 'x'} +x_0=${parameter('False_Easting') ?? 0} +y_0=${parameter('False_Northing') ?? 0}`,
    `+a=${axis}${Number(flattening) > 0 ? ` +rf=${flattening}` : ` +b=${axis}`} +units=m +no_defs`,
  ].join(' ');
}
