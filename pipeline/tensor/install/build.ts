/** Compiles the addon of @tensorflow/tfjs-node-gpu against the unpacked runtime; no node-gyp, no downloads. */
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { command, lastLines } from './command.js';
import { addonPath, hushPath } from './location.js';
import { unavailable } from './requirements.js';

const resolve = createRequire(import.meta.url).resolve;

export interface Build {
  compiler: string;
  /** Folder of the variant being made; has `deps/`. */
  folder: string;
  signal?: AbortSignal;
}

/** @throws BackendError with the compiler's last lines. */
export async function buildAddon({ compiler, folder, signal }: Build): Promise<void> {
  const binding = join(packageFolder('@tensorflow/tfjs-node-gpu'), 'binding');
  const napi = ['-I', join(packageFolder('node-api-headers'), 'include')];
  await mkdir(dirname(addonPath(folder)), { recursive: true });
  const common = [
    '-O2',
    '-std=c++17',
    '-fPIC',
    '-shared',
    '-DNAPI_VERSION=8',
    '-DBUILDING_NODE_EXTENSION',
    ...napi,
  ];
  await compile(
    compiler,
    [
      ...common,
      '-DNODE_GYP_MODULE_NAME=tfjs_binding',
      ...['-I', join(folder, 'deps', 'include')],
      ...[join(binding, 'tfjs_backend.cc'), join(binding, 'tfjs_binding.cc')],
      ...['-o', addonPath(folder), '-L', join(folder, 'deps', 'lib')],
      ...['-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
    ],
    { signal },
  );
  await compile(compiler, [...common, '-x', 'c++', '-', '-o', hushPath(folder)], {
    input: HUSH_SOURCE,
    signal,
  });
}

async function compile(compiler: string, args: string[], options: { input?: string; signal?: AbortSignal }) {
  const { code, stderr } = await command(compiler, args, options);
  if (code === 0) return;
  const fault = stderr.split('\n').find((line) => /error/i.test(line)) ?? lastLines(stderr);
  throw unavailable(
    'addon',
    `${compiler} failed: ${fault}`,
    'needs a compiler that knows C++17 (g++ 9 or later)',
  );
}

function packageFolder(name: string): string {
  try {
    return dirname(resolve(`${name}/package.json`));
  } catch (cause) {
    throw unavailable(name, `the npm package ${name} is not installed`, 'npm ci', cause);
  }
}

/**
 * TensorFlow prints two lines about oneDNN while its libraries are loaded, before anything can set its log level.
 * This addon points stderr elsewhere for as long as that takes; errors of loading are thrown, not printed.
 */
const HUSH_SOURCE = `
#include <fcntl.h>
#include <unistd.h>
#include <node_api.h>
static int saved = -1;
static napi_value Hush(napi_env, napi_callback_info) {
  int nowhere = open("/dev/null", O_WRONLY);
  saved = dup(2);
  dup2(nowhere, 2);
  close(nowhere);
  return nullptr;
}
static napi_value Restore(napi_env, napi_callback_info) {
  if (saved >= 0) { dup2(saved, 2); close(saved); saved = -1; }
  return nullptr;
}
NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "hush", NAPI_AUTO_LENGTH, Hush, nullptr, &function);
  napi_set_named_property(env, exports, "hush", function);
  napi_create_function(env, "restore", NAPI_AUTO_LENGTH, Restore, nullptr, &function);
  napi_set_named_property(env, exports, "restore", function);
  return exports;
}
`;
