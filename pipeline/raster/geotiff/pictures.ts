/**
 * Blocks that are pictures of their own: JPEG, whose tables may stand once in the file (TIFF technical note 2), and WebP.
 * Their size is read from their own headers before they are decoded.
 */
import sharp from 'sharp';
import type { BlockShape, Decompress } from './codecs.js';
import type { BlockLayout } from './layout.js';

const YCBCR = 6;

export function pictureDecoder(layout: BlockLayout): Decompress {
  return async (bytes, shape) => {
    if (layout.bits !== 8) throw new Error(`it is a picture in a file of ${layout.bits} bits`);
    const picture = layout.compression === 'jpeg' ? wholeJpeg(bytes, layout, shape) : wholeWebP(bytes);
    const { data, info } = await sharp(picture, {
      limitInputPixels: layout.blockWidth * layout.blockHeight,
      failOn: 'error',
    })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return fitted(data, info, layout, shape);
  };
}

/** The last strip may be a picture of fewer or of more rows than the map has left. */
function fitted(
  data: Buffer,
  { width, height, channels }: { width: number; height: number; channels: number },
  { blockWidth }: BlockLayout,
  { rows, perCell }: BlockShape,
): Uint8Array {
  if (width !== blockWidth || height < rows)
    throw new Error(`it holds ${width} x ${height} cells, the block has ${blockWidth} x ${rows}`);
  if (channels === perCell) return data;
  const cells = rows * width;
  const out = new Uint8Array(cells * perCell).fill(255);
  // A grey picture may come back as three equal bands; a picture without opacity is opaque.
  if (!(perCell === 1 && channels === 3) && !(perCell === channels + 1))
    throw new Error(`it holds ${channels} bands, the block has ${perCell}`);
  for (let cell = 0; cell < cells; cell++)
    for (let band = 0; band < Math.min(perCell, channels); band++)
      out[cell * perCell + band] = data[cell * channels + band];
  return out;
}

/** Nothing else that the library would read, such as drawings. */
function wholeWebP(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (!text.startsWith('RIFF') || !text.endsWith('WEBP')) throw new Error('it is no WebP');
  return bytes;
}

/** Tables, colour model and picture in one stream. */
function wholeJpeg(
  bytes: Uint8Array,
  { jpegTables, photometric, blockWidth, blockHeight }: BlockLayout,
  { rows, perCell }: BlockShape,
): Uint8Array {
  const { width, height, bands, precision } = jpegFrame(bytes);
  if (precision !== 8) throw new Error(`it is a JPEG of ${precision} bits, 8 are supported`);
  if (width !== blockWidth || height < rows || height > blockHeight)
    throw new Error(`it holds ${width} x ${height} cells, the block has ${blockWidth} x ${rows}`);
  if (bands !== perCell || (bands !== 1 && bands !== 3))
    throw new Error(`it is a JPEG of ${bands} bands in a block of ${perCell}; 1 or 3 are supported`);
  const tables = jpegTables && jpegTables.length > 4 ? jpegTables.subarray(2, jpegTables.length - 2) : [];
  // Adobe's segment says whether three bands are YCbCr or stand as they are; without it readers guess.
  const model = bands === 3 ? adobe(photometric === YCBCR ? 1 : 0) : [];
  return Buffer.concat([
    bytes.subarray(0, 2),
    Uint8Array.from(model),
    Uint8Array.from(tables),
    bytes.subarray(2),
  ]);
}

const adobe = (transform: number): number[] => [
  ...[0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform],
];

/** The frame header (ITU T.81, B.2.2), found by walking the segments before it. */
function jpegFrame(bytes: Uint8Array): { width: number; height: number; bands: number; precision: number } {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new Error('it is no JPEG');
  let at = 2;
  while (at + 9 < bytes.length) {
    if (bytes[at] !== 0xff) throw new Error(`byte ${at} starts no segment of a JPEG`);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = bytes[at + 2] * 256 + bytes[at + 3];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return {
        precision: bytes[at + 4],
        height: bytes[at + 5] * 256 + bytes[at + 6],
        width: bytes[at + 7] * 256 + bytes[at + 8],
        bands: bytes[at + 9],
      };
    if (marker === 0xda || length < 2) break;
    at += 2 + length;
  }
  throw new Error('it is a JPEG without a frame header');
}
