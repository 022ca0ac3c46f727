/** NetCDF-4: the same variables out of an HDF5 file, read in a guarded thread (hdf5Thread.ts). */
import { stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BadRasterError } from '../../errors.js';
import { type GuardedThread, GuardFault, guardedThread } from '../../guard/index.js';
import type { Variable, VariableFile } from '../cf/index.js';

/** Processor time of one call: 3 s, and 100 ns for each byte that it may have to read and unpack. */
const BASE_CPU_MS = 3_000;
const CPU_MS_PER_BYTE = 1e-4;
/** Of the second try, which runs in a thread of its own. */
const MORE = 2;

let thread: GuardedThread | null = null;

/** Opens `path`, hands its variables to `work`, closes it. */
export async function withHdf5<T>(path: string, work: (file: VariableFile) => Promise<T>): Promise<T> {
  thread ??= guardedThread(entry());
  const reader = thread;
  const { size } = await stat(path);
  const call = <R>(method: string, args: readonly unknown[], bytes: number) =>
    twice<R>(reader, path, method, [path, ...args], BASE_CPU_MS + CPU_MS_PER_BYTE * (size + bytes));
  try {
    const variables = new Map(await call<[string, Variable][]>('describe', [], 0));
    return await work({
      ...{ path, variables, defaultFill: true },
      read: ({ name }, start, count) =>
        call(
          'read',
          [name, start, count],
          count.reduce((n, c) => n * c, Float64Array.BYTES_PER_ELEMENT),
        ),
    });
  } finally {
    await reader.call('close', [], { cpuMs: BASE_CPU_MS }).catch(() => {});
  }
}

/** A fault in a thread that had read other files may be theirs: only what fails in a thread of its own is the file's. */
async function twice<R>(
  reader: GuardedThread,
  path: string,
  method: string,
  args: readonly unknown[],
  cpuMs: number,
): Promise<R> {
  try {
    return await reader.call<R>(method, args, { cpuMs });
  } catch (error) {
    if (!(error instanceof GuardFault)) throw error;
    if (error.fresh && error.fault.kind === 'error') throw corrupt(path, error);
  }
  try {
    return await reader.call<R>(method, args, { cpuMs: cpuMs * MORE });
  } catch (error) {
    throw error instanceof GuardFault ? corrupt(path, error) : error;
  }
}

/** The compiled thread; threads run JavaScript even where this file runs from source. */
function entry(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./hdf5Thread.js', here);
  const built = new URL('../../../dist/pipeline/raster/netcdf/hdf5Thread.js', here);
  return pathToFileURL(fileURLToPath(built));
}

function corrupt(path: string, cause: GuardFault): BadRasterError {
  const { fault } = cause;
  const found =
    fault.kind === 'time'
      ? `it takes over ${Math.round(fault.cpuMs / 1_000)} s of processor time`
      : fault.kind === 'memory'
        ? 'it takes too much memory'
        : fault.message;
  return new BadRasterError(`cannot read ${path} as NetCDF-4: ${found}`, {
    hint: 'get the file again, or leave it out with --on-bad-frame skip',
    cause,
    fields: { path, fault: fault.kind },
  });
}
