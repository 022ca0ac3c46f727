/** Where the native runtime is kept: outside node_modules, keyed by all versions that its bytes depend on. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const TENSORFLOW_VERSION = '2.21.0';
export const TFJS_VERSION = '4.22.0';
export type Variant = 'cpu' | 'gpu';

/** `$STORMREEL_CACHE`, else `stormreel` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.STORMREEL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stormreel');
}

/** Folder of one variant; it exists only when complete. */
export function variantFolder(variant: Variant, cache = cacheFolder()): string {
  const key = `tensorflow-${TENSORFLOW_VERSION}-${variant}-tfjs${TFJS_VERSION}-${process.platform}-${process.arch}`;
  return join(cache, key);
}

/** The addon inside a variant's folder; it finds its libraries at `../../deps/lib`. */
export const addonPath = (folder: string): string => join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');

/** The addon to load, GPU variant first (it runs on the CPU where there is no GPU); null when none is there. */
export function installedAddon(cache = cacheFolder()): string | null {
  const paths = (['gpu', 'cpu'] as const).map((variant) => addonPath(variantFolder(variant, cache)));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** A tiny addon beside it that keeps TensorFlow's greeting off stderr. */
export const hushPath = (folder: string): string => join(folder, 'lib', 'napi-v8', 'hush.node');
