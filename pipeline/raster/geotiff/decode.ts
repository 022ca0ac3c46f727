/** A GeoTIFF -> bands in the file's own type, and which cells hold values. */
import type { ByteSource } from '../bytes.js';
import type { DecodedMap } from '../map.js';
import { decodeBlocks } from './blocks.js';
import { bad } from './directory.js';
import type { GeoTiffHeader } from './header.js';
import { validCells } from './valid.js';

/** The wanted bands, by sample. BadRasterError names the block that cannot be decoded. */
export async function decodeGeoTiff(
  source: ByteSource,
  { width, height, layout, mask }: GeoTiffHeader,
  wanted: readonly number[],
): Promise<DecodedMap> {
  const missing = wanted.find((band) => band >= layout.samples);
  if (missing !== undefined) throw bad(source, `it has ${layout.samples} bands`, `a band ${missing + 1}`);
  const { alpha, nodata } = layout;
  const samples = alpha === null ? wanted : [...wanted, alpha];
  const planes = await decodeBlocks(source, layout, { width, height, wanted: samples });
  const masks = mask ? await decodeBlocks(source, mask, { width, height, wanted: [0] }) : [];
  if (alpha !== null) masks.push(planes[wanted.length]);
  const bands = planes.slice(0, wanted.length);
  return { width, height, bands, ...validCells(bands, nodata, masks) };
}
