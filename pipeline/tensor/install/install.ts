/**
 * Installs the native TensorFlow runtime: pip's wheel, of it two libraries and headers, one compiler call, all
 * made in a working folder and renamed into the cache when it loads.
 *
 *   await installNative({ variant: 'cpu', onProgress });
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { OnProgress } from '../../progress.js';
import { buildAddon } from './build.js';
import { command, lastLines } from './command.js';
import { downloadWheels } from './download.js';
import { cudaRequirements, extractWheels } from './extract.js';
import { addonPath, cacheFolder, TENSORFLOW_VERSION, type Variant, variantFolder } from './location.js';
import { withLock } from './lock.js';
import { findToolchain, type Toolchain, unavailable } from './requirements.js';

export interface InstallOptions {
  /** `gpu` adds the CUDA libraries and also runs on the CPU. Default `cpu`. */
  variant?: Variant;
  /** Default: see location.ts. */
  cache?: string;
  /** Make it anew though it is there. Default false. */
  force?: boolean;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}
export interface Installed {
  folder: string;
  variant: Variant;
  /** False when it was there already. */
  fresh: boolean;
}

/** Megabytes of the TensorFlow wheels and, roughly, of the CUDA ones. */
const SIZES = { cpu: 274, gpu: 573, cuda: 2_400 };

/**
 * @throws BackendError when Python, pip, a compiler or the package index is missing, the cache cannot be written, or the
 *   result does not load.
 */
export async function installNative(options: InstallOptions = {}): Promise<Installed> {
  const { variant = 'cpu', cache = cacheFolder(), force = false, signal } = options;
  const folder = variantFolder(variant, cache);
  const there = () => !force && existsSync(addonPath(folder));
  if (there()) return { folder, variant, fresh: false };
  const tools = await findToolchain(signal);
  await mkdir(cache, { recursive: true }).catch((cause) => {
    const hint = 'set STORMREEL_CACHE to a folder that can be written';
    throw unavailable('cache', `the cache cannot be written: ${cause.message}`, hint, cause);
  });
  return withLock(
    `${folder}.lock`,
    async () => {
      if (there()) return { folder, variant, fresh: false };
      await makeFolder(folder, tools, { ...options, variant });
      return { folder, variant, fresh: true };
    },
    signal,
  );
}

type Making = InstallOptions & { variant: Variant };

async function makeFolder(folder: string, tools: Toolchain, options: Making): Promise<void> {
  const prefix = `.${basename(folder)}-`;
  await sweep(dirname(folder), prefix);
  const work = await mkdtemp(join(dirname(folder), prefix));
  try {
    await fillFolder(work, tools, options);
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Working folders of installations that were killed; the lock says that none is at work. */
async function sweep(cache: string, prefix: string): Promise<void> {
  for (const name of await readdir(cache))
    if (name.startsWith(prefix)) await rm(join(cache, name), { recursive: true, force: true });
}

async function fillFolder(work: string, { python, compiler }: Toolchain, options: Making): Promise<void> {
  const { variant, onProgress, signal } = options;
  const wheelFolder = join(work, 'wheels');
  const deps = join(work, 'deps');
  const name = variant === 'gpu' ? 'tensorflow' : 'tensorflow-cpu';
  const fetch = { python, to: wheelFolder, onProgress, signal };
  const requirements = [`${name}==${TENSORFLOW_VERSION}`];
  let wheels = await downloadWheels({ ...fetch, requirements, megabytes: SIZES[variant] });
  if (variant === 'gpu') {
    const cuda = await cudaRequirements(python, wheels[0], signal);
    wheels = await downloadWheels({ ...fetch, requirements: cuda, megabytes: SIZES.gpu + SIZES.cuda });
  }
  const step = (done: number) => onProgress?.({ stage: 'build', done, total: 3, unit: 'steps' });
  step(0);
  await extractWheels({ python, wheels, to: deps, signal });
  step(1);
  try {
    await buildAddon({ compiler, folder: work, signal });
  } catch (error) {
    // A header that the selection lacks: take them all and try once more.
    if (signal?.aborted) throw error;
    await extractWheels({ python, wheels, to: deps, allHeaders: true, signal });
    await buildAddon({ compiler, folder: work, signal });
  }
  step(2);
  await assertLoads(work, signal);
  await rm(wheelFolder, { recursive: true, force: true });
  step(3);
}

/** Loads the addon in a process of its own, where a crash or a missing symbol does no harm. */
async function assertLoads(folder: string, signal?: AbortSignal): Promise<void> {
  const script = `require('node:util').isArray ??= Array.isArray; require(${JSON.stringify(addonPath(folder))})`;
  const { code, stderr } = await command(process.execPath, ['-e', script], { signal });
  if (code === 0) return;
  const reason = stderr.split('\n').find((line) => line.includes('Error')) ?? lastLines(stderr);
  throw unavailable(
    'addon',
    `the addon does not load: ${reason}`,
    'use --backend wasm and report this machine',
  );
}
