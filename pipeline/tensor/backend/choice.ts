/**
 * Opens the tensor backend of this process: native TensorFlow where it is installed, else wasm; never quietly the
 * plain JavaScript one.
 *
 *   const { name, device } = await openBackend({ log: console.error });
 */
import { BackendError } from '../../errors.js';
import { registerCommonGradients } from '../gradients/registered.js';
import { openCpu } from './cpu.js';
import { openNative } from './native.js';
import { selfCheck } from './selfcheck.js';
import { tf } from './tfjs.js';
import { openWasm } from './wasm.js';

export type BackendName = 'tensorflow' | 'webgpu' | 'wasm' | 'cpu';
export const BACKEND_NAMES: readonly BackendName[] = ['tensorflow', 'webgpu', 'wasm', 'cpu'];

export interface BackendInfo {
  name: BackendName;
  /** `cpu`, `gpu` or the wasm variant, e.g. `simd`. */
  device: string;
  threads: number;
  /** Of what computes: TensorFlow's runtime, TensorFlow.js and, for wasm, the binary. */
  versions: Record<string, string>;
  /** Why backends before this one in the order were not taken; empty when it was the first. */
  passedOver: string[];
  /** Largest error of the convolution gradient against stored numbers. */
  selfCheckError: number;
}

export interface BackendOptions {
  /** Take this one or fail; by default the best there is. */
  backend?: BackendName;
  /** Default: as many as the machine offers. Fixed by the first call of a process. */
  threads?: number;
  log?: (line: string) => void;
}

/** What a file of this folder tells of the backend it opened. */
export type Opened = Omit<BackendInfo, 'passedOver' | 'selfCheckError'>;
type Open = (options: { threads?: number }) => Promise<Opened>;

const OPENERS: Record<BackendName, Open> = {
  tensorflow: openNative,
  webgpu: async () => {
    throw new BackendError('not part of this version', {
      hint: 'use --backend tensorflow or --backend wasm',
      fields: { backend: 'webgpu' },
    });
  },
  wasm: openWasm,
  cpu: openCpu,
};
const ORDER: readonly BackendName[] = ['tensorflow', 'webgpu', 'wasm'];

let current: Promise<BackendInfo> | null = null;

/**
 * Opens the backend once a process; later calls return the same.
 * @throws BackendError when the one asked for is missing, another one is open already, or its gradients are wrong.
 */
export async function openBackend(options: BackendOptions = {}): Promise<BackendInfo> {
  if (!current) {
    current = open(options);
    current.catch(() => {
      current = null;
    });
  }
  const info = await current;
  if (options.backend && options.backend !== info.name)
    throw new BackendError(
      `cannot open backend ${options.backend}: ${info.name} is already open in this process`,
      { hint: 'use one backend a process', fields: { open: info.name, asked: options.backend } },
    );
  return info;
}

async function open({ backend, threads, log }: BackendOptions): Promise<BackendInfo> {
  const passedOver: string[] = [];
  registerCommonGradients();
  for (const name of backend ? [backend] : ORDER) {
    try {
      const opened = await OPENERS[name]({ threads });
      assertBackend(name);
      const info = { ...opened, passedOver, selfCheckError: selfCheck(name) };
      log?.(describeBackend(info));
      return info;
    } catch (error) {
      if (backend || name === ORDER.at(-1)) throw error;
      passedOver.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error('no backend in the order');
}

/** One line for people, e.g. `backend: tensorflow 2.21.0, cpu, 2 threads`. */
export function describeBackend({ name, device, threads, versions, passedOver }: BackendInfo): string {
  const worth = passedOver.filter((reason) => !reason.startsWith('webgpu: not part'));
  const why = worth.length ? ` (${worth.join('; ')})` : '';
  const unit = threads === 1 ? 'thread' : 'threads';
  return `backend: ${name} ${versions[name] ?? versions.tfjs}, ${device}, ${threads} ${unit}${why}`;
}

/** TensorFlow.js can return from setBackend with another backend than was asked for. */
function assertBackend(name: BackendName): void {
  if (tf.getBackend() === name) return;
  throw new BackendError(`asked for backend ${name}, TensorFlow.js took ${tf.getBackend()}`, {
    hint: 'stormreel backend check',
    fields: { asked: name, open: tf.getBackend() },
  });
}
