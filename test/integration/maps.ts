/** Tiny GeoTIFF maps, one an hour, whose values say which map they are. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeGeoTiff, type GeoTiffImage } from '../../pipeline/raster/index.js';

export async function writeMaps(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < count; i++) await writeFile(join(folder, mapName(i)), map(i));
}

export function mapName(i: number): string {
  const stamp = new Date(Date.UTC(2005, 11, 1, i)).toISOString().replace(/\D/g, '').slice(0, 10);
  return `m_${stamp.slice(0, 8)}T${stamp.slice(8)}00Z.tif`;
}

/** Map `i`; `change` makes it another than its neighbours. */
export function map(i: number, change: Partial<GeoTiffImage> = {}): Uint8Array {
  const { width = 16, height = 12, bands = 1 } = change;
  return encodeGeoTiff({
    width,
    height,
    bands,
    dtype: 'u16',
    values: Uint16Array.from({ length: width * height * bands }, (_, cell) => (i * 31 + cell * 7) % 4096),
    transform: [10, 0.5, 0, 45, 0, -0.5],
    crs: 'EPSG:4326',
    bandNames: ['ir'],
    compression: i % 2 ? 'deflate' : 'none',
    ...change,
  });
}
