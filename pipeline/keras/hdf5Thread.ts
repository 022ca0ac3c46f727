/** The inside of the thread that reads Keras' HDF5 by h5wasm: which weights there are, and the values of one. */
import h5wasm, { Dataset, File, Group } from 'h5wasm/node';
import { capWasmMemory, refuseFailedReads, serveCalls, silenceStderr } from '../guard/index.js';

/** A weight as the file has it. */
export interface FoundWeight {
  /** From the root, e.g. `model_weights/conv1_bn/conv1_bn/gamma:0` or `layers/conv2d_3/vars/0`. */
  path: string;
  shape: number[];
  dtype: string;
  /** Keras 3: the layer's name, kept beside its numbered weights. */
  layer: string | null;
}

const MEMORY_BYTES = 2 ** 30;
/** Models in models in models. */
const MOST_DEPTH = 24;
const MOST_ITEMS = 262_144;

let opened: { path: string; file: File } | null = null;

silenceStderr();
capWasmMemory(MEMORY_BYTES);
refuseFailedReads(await h5wasm.ready);
serveCalls({ list, read, close });

function list(path: string): FoundWeight[] {
  const found: FoundWeight[] = [];
  let seen = 0;
  const walk = (group: Group | File, prefix: string, depth: number): void => {
    const layer = text(group.attrs.name?.value);
    for (const name of group.keys()) {
      if (seen++ > MOST_ITEMS) throw new Error(`it has more than ${MOST_ITEMS} weights and groups`);
      const item = group.get(name);
      if (item instanceof Dataset) found.push({ path: prefix + name, layer, ...formOf(item) });
      else if (item instanceof Group && depth < MOST_DEPTH) walk(item, `${prefix}${name}/`, depth + 1);
    }
  };
  walk(open(path), '', 0);
  return found;
}

function read(path: string, weight: string): Float32Array {
  const item = open(path).get(weight);
  const value = item instanceof Dataset ? item.value : null;
  if (!ArrayBuffer.isView(value)) throw new Error(`it gives no values of ${weight}`);
  return Float32Array.from(value as unknown as ArrayLike<number>, Number);
}

function close(): void {
  opened?.file.close();
  opened = null;
}

function open(path: string): File {
  if (opened?.path === path) return opened.file;
  close();
  const file = new File(path, 'r');
  if (file.file_id < 0) throw new Error('HDF5 cannot open it');
  opened = { path, file };
  return file;
}

const formOf = ({ shape, dtype }: Dataset) => ({
  shape: (shape ?? []).map(Number),
  dtype: typeof dtype === 'string' ? dtype : 'other',
});

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
