/** One planned frame -> stored values on the dataset's grid: a pure function of plan, description and source bytes. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { STORED, type StoredArray } from '../../schemas/arrow/index.js';
import type { DatasetDescription, FrameSource, PlannedFrame, Series } from '../../schemas/records/index.js';
import { giveBuffer } from '../buffers.js';
import { BadRasterError, SourceChangedError } from '../errors.js';
import { isRemote } from '../remote/index.js';
import type { ByteSource } from './bytes.js';
import type { MapCache } from './cache.js';
import { decodeMap } from './format.js';
import { DEFAULT_LIMITS, type DecodeLimits } from './limits.js';
import type { DecodedMap, MapHeader, SourceArray } from './map.js';
import { isPhysical } from './packing.js';
import { checkPlanned, isReadWhole, readPlanned } from './plannedFile.js';
import type { ReadAhead } from './readAhead.js';
import { openPlanned } from './remoteBytes.js';
import { resampleBands, resampler } from './resample.js';
import { isZarr, storeHash, storeIdentity } from './zarr/index.js';

export interface DecodeOptions {
  limits?: DecodeLimits;
  /** Keeps maps on the source grid, so that the tiles of one map decode it once. */
  cache?: MapCache;
  signal?: AbortSignal;
  /** Where the values of the frame may be written, so that they need not be copied there. */
  into?: StoredArray;
  /** Reads the files of `next`, the frame that is asked for after this one, while this one is decoded. */
  ahead?: ReadAhead;
  next?: PlannedFrame;
}

/** A frame as stored: `values [height, width, band]`, 0 where `valid [height, width]` is 0. */
export interface DecodedFrame {
  values: StoredArray;
  valid: Uint8Array;
  /** sha256 of each source file's bytes, in source order. */
  sources: string[];
}

/**
 * BadRasterError: what the bytes themselves decide. SourceChangedError: size or time of a file is not what was planned.
 * I/O errors as they are.
 */
export async function decodeFrame(
  frame: PlannedFrame,
  series: Series,
  description: DatasetDescription,
  { limits = DEFAULT_LIMITS, cache, signal, into, ahead, next }: DecodeOptions = {},
): Promise<DecodedFrame> {
  signal?.throwIfAborted();
  // Tiles take a map from the cache: which of them reads the next one cannot be said.
  const reading = series.tile ? {} : { ahead, next };
  const decode = (values?: StoredArray) =>
    decodeWhole(frame.sources, description, { limits, cache, values, ...reading });
  // A frame that goes straight to its place is not kept: without tiles nobody who fills a slot asks for it again.
  if (!series.tile && into) return decode(into.fill(0));
  const whole = await (cache ? cache.map(frameKey(frame), () => decode()) : decode());
  return series.tile ? cutTile(whole, series.tile, description, into) : whole;
}

const frameKey = ({ sources }: PlannedFrame): string =>
  sources
    .map(({ path, index, size, mtimeMs, etag }) => `${path}\0${index}\0${size}\0${mtimeMs}\0${etag ?? ''}`)
    .join('\0');

async function decodeWhole(
  sources: readonly FrameSource[],
  description: DatasetDescription,
  { limits, cache, values = zeros(description), ahead, next }: WholeOptions,
): Promise<DecodedFrame> {
  const { sourceGrid: grid, bands } = description;
  const cells = grid.width * grid.height;
  const valid = new Uint8Array(cells).fill(1);
  const hashes: string[] = [];
  for (const [i, source] of sources.entries()) {
    const { bytes, sha256 } = await readSource(source, { limits, cache, ahead });
    if (next && i === sources.length - 1) ahead?.begin(next, limits);
    hashes.push(sha256);
    const wanted = source.bands.map(({ from }) => from);
    try {
      const { header, map } = await decodeMap(source.path, bytes, wanted, source.index, limits, cache);
      if (ahead) await setImmediate(); // what was opened meanwhile is read while the rest is computed
      place(source, header, map, description, values, valid);
      for (const band of map.bands) giveBuffer(band.buffer);
    } finally {
      if (bytes instanceof Uint8Array) giveBuffer(bytes.buffer);
    }
  }
  if (valid.includes(0))
    for (let cell = 0; cell < cells; cell++)
      if (!valid[cell]) values.fill(0, cell * bands.length, (cell + 1) * bands.length);
  return { values, valid, sources: hashes };
}

interface WholeOptions {
  limits: DecodeLimits;
  cache: MapCache | undefined;
  /** All 0, on the source grid. */
  values?: StoredArray;
  ahead?: ReadAhead;
  next?: PlannedFrame;
}

const zeros = ({ sourceGrid: { width, height }, bands, dtype }: DatasetDescription): StoredArray =>
  new STORED[dtype].array(width * height * bands.length);

/** Bytes and their hash; a NetCDF file or a stack is hashed once and read by range, so its bytes are not kept. */
async function readSource(
  planned: FrameSource,
  { limits, cache, ahead }: Pick<WholeOptions, 'limits' | 'cache' | 'ahead'>,
): Promise<{ bytes: Uint8Array | ByteSource; sha256: string }> {
  const { path, size, mtimeMs } = planned;
  if (isRemote(path)) {
    const { source, sha256 } = await openPlanned(planned, limits);
    return { bytes: source, sha256 };
  }
  if (isZarr(path)) return { bytes: new Uint8Array(0), sha256: await readStore(planned, limits, cache) };
  if (!isReadWhole(path)) {
    await checkPlanned(planned, limits);
    const hash = () => streamHash(path);
    const key = `${path}\0${size}\0${mtimeMs}`;
    return { bytes: new Uint8Array(0), sha256: cache ? await cache.hash(key, hash) : await hash() };
  }
  const bytes = (await ahead?.take(planned)) ?? (await readPlanned(planned, limits));
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Hash of the part of a store that this frame comes from. SourceChangedError as of files. */
async function readStore(
  { path, size, mtimeMs, index, bands }: FrameSource,
  limits: DecodeLimits,
  cache: MapCache | undefined,
): Promise<string> {
  const now = await (await storeIdentity(path, limits))(index);
  if (now.size !== size || Math.abs(now.mtimeMs - mtimeMs) > 1)
    throw new SourceChangedError(
      `${path} has changed since it was planned: time ${index} has ${now.size} bytes of ${new Date(now.mtimeMs).toISOString()}, not ${size} of ${new Date(mtimeMs).toISOString()}`,
      { hint: 'run the same stormreel ingest again: it plans the new state', fields: { path, index } },
    );
  const names = bands.map(({ from }) => String(from));
  return storeHash(path, names, index, limits, (key, work) => (cache ? cache.hash(key, work) : work()));
}

async function streamHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest('hex');
}

/** Puts the bands of one file where they belong in the frame. */
function place(
  source: FrameSource,
  header: MapHeader,
  map: DecodedMap,
  { sourceGrid, bands, dtype, resampling }: DatasetDescription,
  values: StoredArray,
  valid: Uint8Array,
): void {
  const weights = resampler(header, sourceGrid, resampling);
  if (weights) {
    if (dtype !== 'f32') throw new Error('a resampled frame is stored as f32'); // describeDataset sees to it
    const places = source.bands.map(({ to }) => to);
    resampleBands(weights, map, { values: values as Float32Array, valid, step: bands.length, places });
  }
  source.bands.forEach(({ from, to }, i) => {
    const band = header.bands.find(({ selector }) => selector === from);
    if (!band)
      throw new BadRasterError(`${source.path} has no band ${from} any more`, {
        hint: 'run the same stormreel ingest again',
        fields: { path: source.path, band: from },
      });
    // Stored units of the file -> stored units of the dataset.
    const scale = band.scale / bands[to].scale;
    const shift = (band.offset - bands[to].offset) / bands[to].scale;
    const plain = scale === 1 && shift === 0;
    const decoded = map.bands[i];
    if (!weights) {
      if (plain && bands.length === 1) values.set(decoded);
      else spread(decoded, values, { step: bands.length, at: to, scale, shift });
      if (!map.whole) for (let cell = 0; cell < valid.length; cell++) if (!map.valid[cell]) valid[cell] = 0;
    } else if (!plain)
      for (let o = to; o < values.length; o += bands.length) values[o] = values[o] * scale + shift;
    if (dtype === 'f32') dropUnphysical(values, valid, { step: bands.length, at: to, plain, ...bands[to] });
  });
}

/** Cells whose physical value is beyond a 32-bit float hold none. Where nothing is scaled, all are finite already. */
function dropUnphysical(
  values: StoredArray,
  valid: Uint8Array,
  {
    step,
    at,
    plain,
    scale,
    offset,
  }: { step: number; at: number; plain: boolean; scale: number; offset: number },
): void {
  if (plain && scale === 1 && offset === 0) return;
  for (let cell = 0, o = at; cell < valid.length; cell++, o += step)
    if (!isPhysical(values[o], scale, offset)) valid[cell] = 0;
}

/** One band of a map into every `step`-th number of a frame, from `at` on. */
function spread(
  decoded: SourceArray,
  values: StoredArray,
  { step, at, scale, shift }: { step: number; at: number; scale: number; shift: number },
): void {
  if (scale === 1 && shift === 0)
    for (let cell = 0, o = at; cell < decoded.length; cell++, o += step) values[o] = decoded[cell];
  else
    for (let cell = 0, o = at; cell < decoded.length; cell++, o += step)
      values[o] = decoded[cell] * scale + shift;
}

function cutTile(
  { values, valid, sources }: DecodedFrame,
  tile: NonNullable<Series['tile']>,
  { sourceGrid, bands, dtype }: DatasetDescription,
  into: StoredArray | undefined,
): DecodedFrame {
  const cells = tile.width * tile.height;
  const out = {
    values: into ?? new STORED[dtype].array(cells * bands.length),
    valid: new Uint8Array(cells),
    sources,
  };
  for (let r = 0; r < tile.height; r++) {
    const row = tile.row + (tile.flip ? tile.height - 1 - r : r);
    for (let c = 0; c < tile.width; c++) {
      const from = row * sourceGrid.width + ((tile.column + c) % sourceGrid.width);
      const to = r * tile.width + c;
      out.valid[to] = valid[from];
      for (let b = 0; b < bands.length; b++)
        out.values[to * bands.length + b] = values[from * bands.length + b];
    }
  }
  return out;
}
