/** What the machine must have before the native backend can be installed: Linux x64, Python with pip, a C++ compiler. */
import { BackendError } from '../../errors.js';
import { command } from './command.js';

export interface Toolchain {
  python: string;
  compiler: string;
}

const WASM_HINT = 'everything also works with --backend wasm, only slower';

/** @throws BackendError with field `missing` naming the first thing that is not there. */
export async function findToolchain(signal?: AbortSignal): Promise<Toolchain> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw unavailable(
      `${process.platform}-${process.arch}`,
      `no native TensorFlow for ${process.platform} ${process.arch}, only for linux x64`,
      WASM_HINT,
    );
  const python = await first(['python3', 'python'], ['-m', 'pip', '--version'], signal);
  if (!python)
    throw unavailable(
      'pip',
      'Python 3 with pip was not found',
      `apt-get install python3-pip (or your system's equivalent); ${WASM_HINT}`,
    );
  const compiler = await first(['g++', 'c++', 'clang++'], ['--version'], signal);
  if (!compiler)
    throw unavailable(
      'g++',
      'no C++ compiler was found (g++, c++, clang++)',
      `apt-get install g++ (or your system's equivalent); ${WASM_HINT}`,
    );
  return { python, compiler };
}

async function first(programs: string[], args: string[], signal?: AbortSignal): Promise<string | null> {
  for (const program of programs) if ((await command(program, args, { signal })).code === 0) return program;
  return null;
}

/** The error of everything that keeps the native backend from being installed. */
export function unavailable(missing: string, reason: string, hint: string, cause?: unknown): BackendError {
  return new BackendError(`cannot install native TensorFlow: ${reason}`, {
    hint,
    cause,
    fields: { backend: 'tensorflow', missing, reason },
  });
}
