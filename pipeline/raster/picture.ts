/** PNG and JPEG pictures as maps: one band or three, no place; transparent cells are invalid. */
import sharp from 'sharp';
import { BadRasterError } from '../errors.js';
import { type ByteSource, memorySource } from './bytes.js';
import type { DecodeLimits } from './limits.js';
import type { DecodedMap, MapHeader } from './map.js';

/** The library would read drawings, documents and films too, whatever the file is called. BadRasterError: no PNG or JPEG. */
export async function checkPicture({ path, size, read }: ByteSource): Promise<void> {
  const head = Buffer.from(await read(0, Math.min(size, 8))).toString('hex');
  if (head === '89504e470d0a1a0a' || head.startsWith('ffd8ff')) return;
  throw corrupt(path, new Error('it starts neither as PNG nor as JPEG'));
}

/** Size and bands from the picture's header. BadRasterError: no picture, or over the limits. */
export async function readPictureHeader(
  path: string,
  limits: DecodeLimits,
  bytes?: Uint8Array,
): Promise<MapHeader> {
  const { width, height, channels, depth } = await open(bytes ?? path, limits)
    .metadata()
    .catch((cause: Error) => {
      throw corrupt(path, cause);
    });
  if (width * height > limits.cells)
    throw corrupt(path, new Error(`it claims ${width} x ${height} cells, ${limits.cells} are allowed`));
  const grey = channels <= 2;
  const dtype = depth === 'ushort' ? 'u16' : 'u8';
  const names = grey ? ['grey'] : ['red', 'green', 'blue'];
  const bands = names.map((name, selector) => ({
    ...({ name, unit: null, dtype, scale: 1, offset: 0, nodata: null, selector } as const),
  }));
  return { width, height, transform: null, crs: 'none', bands, times: null, timeText: null };
}

/** The wanted bands (0 grey or red, 1 green, 2 blue). */
export async function decodePicture(
  path: string,
  bytes: Uint8Array,
  wanted: readonly number[],
  limits: DecodeLimits,
): Promise<{ header: MapHeader; map: DecodedMap }> {
  await checkPicture(memorySource(path, bytes));
  const header = await readPictureHeader(path, limits, bytes);
  const deep = header.bands[0].dtype === 'u16';
  const missing = wanted.find((band) => band >= header.bands.length);
  if (missing !== undefined)
    throw corrupt(path, new Error(`it has ${header.bands.length} bands, ${missing + 1} are wanted`));
  const { data, info } = await open(bytes, limits)
    .toColourspace(header.bands.length === 1 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb')
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: Error) => {
      throw corrupt(path, cause);
    });
  const { width, height, channels } = info;
  const samples = deep ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
  const cells = width * height;
  const alpha = channels === header.bands.length + 1 ? channels - 1 : -1;
  const bands = wanted.map((band) => {
    const out = deep ? new Uint16Array(cells) : new Uint8Array(cells);
    for (let cell = 0; cell < cells; cell++) out[cell] = samples[cell * channels + band];
    return out;
  });
  const valid = new Uint8Array(cells).fill(1);
  if (alpha >= 0)
    for (let cell = 0; cell < cells; cell++) if (samples[cell * channels + alpha] === 0) valid[cell] = 0;
  return { header, map: { width, height, bands, valid } };
}

const open = (source: string | Uint8Array, limits: DecodeLimits) =>
  sharp(source, { limitInputPixels: limits.cells, failOn: 'error' });

function corrupt(path: string, cause: Error): BadRasterError {
  return new BadRasterError(`cannot read ${path} as a picture: ${cause.message}`, {
    hint: 'get the file again, or leave it out with --on-bad-frame skip',
    cause,
    fields: { path },
  });
}
