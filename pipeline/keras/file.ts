/** A Keras file of any kind, opened: `.h5` and `.weights.h5` are HDF5, `.keras` is an archive with such a file in it. */
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ModelMismatchError } from '../errors.js';
import { GuardFault, guardedThread } from '../guard/index.js';
import type { FoundWeight } from './hdf5Thread.js';
import { extractMember } from './zip.js';

export interface KerasFile {
  weights: FoundWeight[];
  read(path: string): Promise<Float32Array>;
}

const WEIGHTS_IN_ARCHIVE = 'model.weights.h5';
const HDF5 = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const ZIP = Buffer.from('PK\x03\x04', 'latin1');
/** Processor time of one call: 3 s, and 100 ns for each byte of the file. */
const BASE_CPU_MS = 3_000;
const CPU_MS_PER_BYTE = 1e-4;

/**
 * Opens `path`, hands its weights to `work`, closes it.
 * @throws ModelMismatchError for a file of another kind, a damaged or a hostile one.
 */
export async function withKerasFile<T>(path: string, work: (file: KerasFile) => Promise<T>): Promise<T> {
  const kind = await kindOf(path);
  if (kind === 'hdf5') return withHdf5(path, path, work);
  const folder = await mkdtemp(join(tmpdir(), 'stormreel-keras-'));
  try {
    const inner = join(folder, WEIGHTS_IN_ARCHIVE);
    await extractMember(path, WEIGHTS_IN_ARCHIVE, inner).catch((cause) => {
      throw unreadable(path, (cause as Error).message, cause);
    });
    return await withHdf5(inner, path, work);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** By its first bytes: names lie. */
async function kindOf(path: string): Promise<'hdf5' | 'zip'> {
  const file = await open(path, 'r').catch((cause) => {
    throw unreadable(path, cause.code === 'ENOENT' ? 'it is not there' : cause.message, cause);
  });
  try {
    const { buffer } = await file.read(Buffer.alloc(8), 0, 8, 0).catch((cause) => {
      throw unreadable(path, cause.code === 'EISDIR' ? 'it is a folder' : cause.message, cause);
    });
    if (buffer.equals(HDF5)) return 'hdf5';
    if (buffer.subarray(0, 4).equals(ZIP)) return 'zip';
  } finally {
    await file.close();
  }
  throw unreadable(path, 'it is neither HDF5 nor a .keras archive');
}

/** `told`: the file that the user knows. */
async function withHdf5<T>(path: string, told: string, work: (file: KerasFile) => Promise<T>): Promise<T> {
  const thread = guardedThread(entry());
  const { size } = await stat(path);
  const cpuMs = BASE_CPU_MS + CPU_MS_PER_BYTE * size;
  const call = <R>(method: string, ...args: string[]): Promise<R> =>
    thread.call<R>(method, [resolve(path), ...args], { cpuMs }).catch((error) => {
      throw error instanceof GuardFault ? unreadable(told, faultText(error), error) : error;
    });
  try {
    const weights = await call<FoundWeight[]>('list');
    return await work({ weights, read: (weight) => call('read', weight) });
  } finally {
    await thread.renew();
  }
}

/** The compiled thread; threads run JavaScript even where this file runs from source. */
function entry(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./hdf5Thread.js', here);
  return pathToFileURL(fileURLToPath(new URL('../../dist/pipeline/keras/hdf5Thread.js', here)));
}

function faultText({ fault }: GuardFault): string {
  if (fault.kind === 'time') return `it takes over ${Math.round(fault.cpuMs / 1_000)} s of processor time`;
  return fault.kind === 'memory' ? 'it takes too much memory' : fault.message;
}

function unreadable(path: string, found: string, cause?: unknown): ModelMismatchError {
  return new ModelMismatchError(`cannot read Keras weights from ${path}: ${found}`, {
    hint: 'give a file that Keras wrote: .h5, .weights.h5 or .keras',
    cause,
    fields: { path, found },
  });
}
