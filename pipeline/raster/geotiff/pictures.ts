/**
 * Blocks that are pictures of their own: JPEG, whose tables may stand once in the file (TIFF technical note 2), and WebP.
 * Their size is read from their own headers before they are decoded.
 */
import sharp from 'sharp';
import type { BlockShape, Decompress } from './codecs.js';
import { jpegDecoder } from './jpeg.js';
import type { BlockLayout } from './layout.js';

const YCBCR = 6;

/** Larger blocks would leave the decoder with as much memory for ever. */
const MOST_KEPT = 2 ** 24;

export async function pictureDecoder(layout: BlockLayout): Promise<Decompress> {
  const decodeJpeg = layout.compression === 'jpeg' ? await jpegDecoder() : null;
  return (bytes, shape) => {
    if (layout.bits !== 8) throw new Error(`it is a picture in a file of ${layout.bits} bits`);
    if (!decodeJpeg) return bySharp(wholeWebP(bytes), layout, shape);
    const { pieces, plain } = wholeJpeg(bytes, layout, shape);
    const picture = plain && shape.size <= MOST_KEPT ? decodeJpeg(pieces) : null;
    if (!picture) return bySharp(Buffer.concat(pieces), layout, shape);
    return fitted(picture.data, picture, layout, shape);
  };
}

async function bySharp(picture: Uint8Array, layout: BlockLayout, shape: BlockShape): Promise<Uint8Array> {
  const { data, info } = await sharp(picture, {
    limitInputPixels: layout.blockWidth * layout.blockHeight,
    failOn: 'error',
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return fitted(data, info, layout, shape);
}

/** The last strip may be a picture of fewer or of more rows than the map has left. */
function fitted(
  data: Uint8Array,
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

interface JpegStream {
  /** Tables, colour model and picture, one after the other. */
  pieces: Uint8Array[];
  plain: boolean;
}

function wholeJpeg(
  bytes: Uint8Array,
  { jpegTables, photometric, blockWidth, blockHeight }: BlockLayout,
  { rows, perCell }: BlockShape,
): JpegStream {
  const { width, height, bands, precision, plain } = jpegFrame(bytes);
  if (precision !== 8) throw new Error(`it is a JPEG of ${precision} bits, 8 are supported`);
  if (width !== blockWidth || height < rows || height > blockHeight)
    throw new Error(`it holds ${width} x ${height} cells, the block has ${blockWidth} x ${rows}`);
  if (bands !== perCell || (bands !== 1 && bands !== 3))
    throw new Error(`it is a JPEG of ${bands} bands in a block of ${perCell}; 1 or 3 are supported`);
  const tables = jpegTables && jpegTables.length > 4 ? jpegTables.subarray(2, jpegTables.length - 2) : [];
  // Adobe's segment says whether three bands are YCbCr or stand as they are; without it readers guess.
  const model = bands === 3 ? adobe(photometric === YCBCR ? 1 : 0) : [];
  const pieces = [bytes.subarray(0, 2), Uint8Array.from(model), Uint8Array.from(tables), bytes.subarray(2)];
  return { pieces, plain };
}

const adobe = (transform: number): number[] => [
  ...[0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform],
];

interface JpegFrame {
  width: number;
  height: number;
  bands: number;
  precision: number;
  /** One scan of all bands, sequential, without a colour profile. */
  plain: boolean;
}

/** The frame header (ITU T.81, B.2.2), found by walking the segments before it. */
function jpegFrame(bytes: Uint8Array): JpegFrame {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw new Error('it is no JPEG');
  for (const { marker, at } of segments(bytes)) {
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && at + 9 < bytes.length) {
      const bands = bytes[at + 9];
      return {
        precision: bytes[at + 4],
        height: bytes[at + 5] * 256 + bytes[at + 6],
        width: bytes[at + 7] * 256 + bytes[at + 8],
        bands,
        plain: (marker === BASELINE || marker === EXTENDED) && isOneScan(bytes, bands),
      };
    }
  }
  throw new Error('it is a JPEG without a frame header');
}

const BASELINE = 0xc0;
const EXTENDED = 0xc1;
/** A segment that may hold a colour profile. */
const APP2 = 0xe2;
const SCAN = 0xda;

function isOneScan(bytes: Uint8Array, bands: number): boolean {
  for (const { marker, at } of segments(bytes)) {
    if (marker === APP2) return false;
    if (marker === SCAN) return bytes[at + 4] === bands;
  }
  return false;
}

/** Markers and where they stand, up to the first scan. */
function* segments(bytes: Uint8Array): Generator<{ marker: number; at: number }> {
  for (let at = 2; at + 4 < bytes.length; ) {
    if (bytes[at] !== 0xff) throw new Error(`byte ${at} starts no segment of a JPEG`);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++;
      continue;
    }
    yield { marker, at };
    const length = bytes[at + 2] * 256 + bytes[at + 3];
    if (marker === SCAN || length < 2) return;
    at += 2 + length;
  }
}
