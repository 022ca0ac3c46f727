/** Quantised fields as PNG pictures, drawn on the server for print, for readers without scripts and for files. */
import sharp from 'sharp';
import { NOTHING } from '../frames/quantise.js';
import type { Mosaic } from './stage.js';
import type { World } from './world.js';

export interface Field {
  /** `[height, width]`, 255 where nothing was observed. */
  bytes: Uint8Array;
  width: number;
  height: number;
}

/** RGBA of a mosaic in the world's projection, `scale` pixels a unit; bilinear, clear where nothing was observed. */
export function worldPixels({ bytes }: Field, mosaic: Mosaic, world: World, colours: Uint8Array, scale = 1) {
  const [width, height] = [Math.round(world.width * scale), Math.round(world.height * scale)];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const source = Math.min(world.height - 1, Math.floor(y / scale));
    const [lat, degrees] = [world.rows.lat[source], world.rows.degrees[source]];
    if (Number.isNaN(lat)) continue;
    const row = (lat - mosaic.north!) / mosaic.dy - 0.5;
    for (let x = 0; x < width; x++) {
      const lon = ((x + 0.5) / scale - world.width / 2) * degrees;
      if (Math.abs(lon) > 180) continue;
      const turned = (((lon - mosaic.west!) % 360) + 360) % 360;
      const value = bilinear(bytes, mosaic, row, turned / mosaic.dx - 0.5);
      if (value !== NOTHING) put(pixels, (y * width + x) * 4, colours, value);
    }
  }
  return { pixels, width, height };
}

/** 255 off the mosaic; where one of four neighbours is missing, the nearest one. */
function bilinear(bytes: Uint8Array, { width, height, wraps }: Mosaic, row: number, column: number): number {
  if (row < -0.5 || row > height - 0.5) return NOTHING;
  const [r, c] = [Math.floor(row), Math.floor(column)];
  const clampRow = (i: number) => Math.min(Math.max(i, 0), height - 1) * width;
  const wrapColumn = (i: number) => (wraps ? (i + width) % width : Math.min(Math.max(i, 0), width - 1));
  const at = (i: number, j: number) => bytes[clampRow(i) + wrapColumn(j)];
  const four = [at(r, c), at(r, c + 1), at(r + 1, c), at(r + 1, c + 1)];
  if (four.includes(NOTHING)) return at(Math.round(row), Math.round(column));
  const [fr, fc] = [row - r, column - c];
  const [upper, lower] = [four[0] + fc * (four[1] - four[0]), four[2] + fc * (four[3] - four[2])];
  return Math.round(upper + fr * (lower - upper));
}

/** RGBA of a field, one pixel a cell. */
export function plainPixels({ bytes, width, height }: Field, colours: Uint8Array, { flip = false } = {}) {
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const value = bytes[(flip ? height - 1 - r : r) * width + c];
      if (value !== NOTHING) put(pixels, (r * width + c) * 4, colours, value);
    }
  return { pixels, width, height };
}

function put(pixels: Uint8ClampedArray, at: number, colours: Uint8Array, value: number): void {
  const colour = Math.round((value * 255) / 254) * 3;
  pixels[at] = colours[colour];
  pixels[at + 1] = colours[colour + 1];
  pixels[at + 2] = colours[colour + 2];
  pixels[at + 3] = 255;
}

/** `data:image/png;base64,...`, enlarged to `enlarge` pixels a cell. */
export async function pngUri(
  { pixels, width, height }: { pixels: Uint8ClampedArray; width: number; height: number },
  { enlarge = 1, smooth = true } = {},
): Promise<string> {
  let image = sharp(Buffer.from(pixels.buffer), { raw: { width, height, channels: 4 } });
  if (enlarge !== 1)
    image = image.resize(Math.round(width * enlarge), Math.round(height * enlarge), {
      kernel: smooth ? 'cubic' : 'nearest',
    });
  const png = await image.png({ compressionLevel: 9, palette: enlarge === 1 }).toBuffer();
  return `data:image/png;base64,${png.toString('base64')}`;
}
