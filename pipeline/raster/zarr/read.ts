/** A Zarr store as a file of CF variables: slices are put together from chunks, each decoded once while the cache holds it. */
import * as zarr from 'zarrita';
import { isStormreelError } from '../../errors.js';
import type { MapCache } from '../cache.js';
import {
  type CfHeader,
  decodeFields,
  describeFields,
  type FieldOptions,
  type VariableFile,
} from '../cf/index.js';
import type { DecodeLimits } from '../limits.js';
import type { DecodedMap } from '../map.js';
import { describeArray, type ZarrArray } from './array.js';
import { boundCodecs } from './codecs.js';
import { arrayNames, corrupt, fileInfo, openStore } from './store.js';

export const readZarrHeader = async (
  path: string,
  limits: DecodeLimits,
  options: FieldOptions = {},
): Promise<CfHeader> => describeFields(await openZarr(path, limits), limits, options);

/** The named fields at position `index` of the time axis, north row first. */
export const decodeZarr = async (
  path: string,
  wanted: readonly string[],
  index: number,
  limits: DecodeLimits,
  cache?: MapCache,
): Promise<{ header: CfHeader; map: DecodedMap }> =>
  decodeFields(await openZarr(path, limits, cache), wanted, index, limits);

type Chunk = { data: ArrayLike<number | bigint>; shape: number[]; stride: number[] };

/** BadRasterError: no store, or metadata that cannot be. */
export async function openZarr(path: string, limits: DecodeLimits, cache?: MapCache): Promise<VariableFile> {
  await boundCodecs();
  const arrays = new Map<string, ZarrArray>();
  for (const name of await arrayNames(path)) {
    const array = await describeArray(path, name, limits);
    if (array) arrays.set(name, array);
  }
  const root = zarr.root(openStore(path, limits.fileBytes));
  const opened = new Map<string, Promise<zarr.Array<zarr.DataType>>>();
  const open = ({ name, version }: ZarrArray) => {
    const at = root.resolve(name);
    const fresh = () =>
      version === 2 ? zarr.open.v2(at, { kind: 'array' }) : zarr.open.v3(at, { kind: 'array' });
    const known = opened.get(name) ?? fresh();
    opened.set(name, known);
    return known;
  };

  async function chunk(array: ZarrArray, at: readonly number[]): Promise<Chunk> {
    try {
      const found = plain((await (await open(array)).getChunk([...at])) as Chunk);
      const expected = array.chunkShape.reduce((n, size) => n * size, 1);
      if (found.data.length === expected) return found;
      throw new Error(`a chunk unpacks to ${found.data.length} of ${expected} values`);
    } catch (cause) {
      if (isStormreelError(cause) || isPassing(cause)) throw cause;
      throw corrupt(`${path}/${array.name}`, `chunk ${at.join(',')}: ${reason(cause)}`, cause);
    }
  }

  /** Chunks that hold several times are asked for again and again. */
  async function kept(array: ZarrArray, at: readonly number[]): Promise<Chunk> {
    if (!cache) return chunk(array, at);
    const file = `${path}/${array.name}/${array.key(at.map((c, d) => Math.floor((c * array.chunkShape[d]) / array.fileShape[d])))}`;
    const info = await fileInfo(file);
    return cache.chunk(`${file}\0${at.join()}\0${info?.size}\0${info?.mtimeMs}`, () => chunk(array, at));
  }

  return {
    path,
    variables: arrays,
    defaultFill: false,
    async read(variable, start, count) {
      const array = arrays.get(variable.name)!;
      array.shape.forEach((size, d) => {
        if (start[d] + count[d] > size)
          throw corrupt(
            `${path}/${array.name}`,
            `dimension ${d} has ${size} entries, ${start[d] + count[d]} are needed`,
          );
      });
      const chunks = chunksOf(array, start, count, `${path}/${array.name}`);
      const out = new Float64Array(count.reduce((n, c) => n * c, 1));
      for (const at of chunks) copy(await kept(array, at), array, at, { start, count, out });
      return out;
    },
  };
}

/** Of one map: more would take minutes, and memory for their names. */
const MOST_CHUNKS = 2 ** 16;

/** Coordinates of the chunks that a slice touches. BadRasterError: too many. */
export function chunksOf(
  { chunkShape }: Pick<ZarrArray, 'chunkShape'>,
  start: readonly number[],
  count: readonly number[],
  path: string,
): number[][] {
  const chunks = chunkShape.reduce(
    (n, size, d) =>
      n * Math.max(0, Math.floor((start[d] + count[d] - 1) / size) - Math.floor(start[d] / size) + 1),
    1,
  );
  if (chunks > MOST_CHUNKS)
    throw corrupt(path, `one map lies in ${chunks} chunks, ${MOST_CHUNKS} are allowed`);
  return chunkShape.reduce<number[][]>(
    (found, size, d) => {
      const [first, last] = [Math.floor(start[d] / size), Math.floor((start[d] + count[d] - 1) / size)];
      const here = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
      return found.flatMap((at) => here.map((c) => [...at, c]));
    },
    [[]],
  );
}

/** Truth values come in an array that has no entries by number. */
function plain(chunk: Chunk): Chunk {
  const { data } = chunk as unknown as { data: { length: number; get?(i: number): unknown } };
  if (!data.get) return chunk;
  return { ...chunk, data: Uint8Array.from({ length: data.length }, (_, i) => Number(data.get!(i))) };
}

/** The part of a chunk that lies in the slice, run by run along the last dimension. */
function copy(
  { data, stride }: Chunk,
  { chunkShape }: ZarrArray,
  at: readonly number[],
  { start, count, out }: { start: readonly number[]; count: readonly number[]; out: Float64Array },
): void {
  const rank = count.length;
  const from = at.map((c, d) => Math.max(start[d], c * chunkShape[d]));
  const to = at.map((c, d) => Math.min(start[d] + count[d], (c + 1) * chunkShape[d]));
  const outStride = count.map((_, d) => count.slice(d + 1).reduce((n, c) => n * c, 1));
  const walk = (d: number, source: number, target: number): void => {
    if (d === rank) {
      out[target] = Number(data[source]);
      return;
    }
    let s = source + (from[d] - at[d] * chunkShape[d]) * stride[d];
    let t = target + (from[d] - start[d]) * outStride[d];
    if (d === rank - 1) {
      for (let i = from[d]; i < to[d]; i++, s += stride[d], t++) out[t] = Number(data[s]);
      return;
    }
    for (let i = from[d]; i < to[d]; i++, s += stride[d], t += outStride[d]) walk(d + 1, s, t);
  };
  walk(0, 0, 0);
}

/** Faults of the machine, not of the store: worth another try. */
const isPassing = (cause: unknown): boolean =>
  ['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'ESTALE'].includes(
    String((cause as NodeJS.ErrnoException)?.code),
  );

function reason(cause: unknown): string {
  const inner = (cause as { cause?: unknown })?.cause;
  const text = (error: unknown) => (error instanceof Error ? error.message : String(error));
  return inner === undefined ? text(cause) : `${text(cause)}: ${text(inner)}`;
}
