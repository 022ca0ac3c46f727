/** Picture sets of ../shared/data as stacks that `ingest` reads: arrays with made-up hourly times, labels, a split by dates. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const SIZE = 28;
const HOUR = 3_600_000;
/** Years apart, so that no embargo touches a picture. */
const STARTS = { train: '2000-01-01T00:00Z', validation: '2002-01-01T00:00Z', test: '2004-01-01T00:00Z' };

const bytes = (path) => new Uint8Array(gunzipSync(readFileSync(path)));

/** Part -> pictures one after the other, and a label 0 or 1 each. */
export const SETS = {
  pneumoniamnist: {
    words: 'PneumoniaMNIST, pneumonia or not (official split)',
    read(folder) {
      const part = (name) => ({
        pictures: bytes(join(folder, `${name}_images.u8.gz`)),
        labels: bytes(join(folder, `${name}_labels.u8.gz`)),
      });
      return { train: part('train'), validation: part('val'), test: part('test') };
    },
  },
  mnist10k: {
    words: 'MNIST, odd or even digit (8,000 train, 2,000 test)',
    read(folder) {
      const pictures = bytes(join(folder, 't10k-images-idx3-ubyte.gz')).subarray(16);
      const labels = bytes(join(folder, 't10k-labels-idx1-ubyte.gz')).subarray(8);
      const part = (from, to) => ({
        pictures: pictures.subarray(from * SIZE * SIZE, to * SIZE * SIZE),
        labels: labels.slice(from, to).map((digit) => digit % 2),
      });
      return { train: part(0, 8000), test: part(8000, 10000) };
    },
  },
};

/** Writes maps/ and labels.csv into `to`; gives the split. */
export function writeSet(name, dataFolder, to) {
  const parts = SETS[name].read(join(dataFolder, name));
  mkdirSync(join(to, 'maps'), { recursive: true });
  const rows = ['time,label'];
  const split = { by: 'dates' };
  for (const [part, { pictures, labels }] of Object.entries(parts)) {
    const start = Date.parse(STARTS[part]);
    const times = Array.from(labels, (_, i) => new Date(start + i * HOUR).toISOString());
    writeFileSync(join(to, 'maps', `${part}.npy`), npy(pictures, [labels.length, SIZE, SIZE]));
    const beside = { dimensions: ['time', 'y', 'x'], times, bands: [{ name: 'grey' }] };
    writeFileSync(join(to, 'maps', `${part}.json`), JSON.stringify(beside));
    rows.push(...times.map((time, i) => `${time},${labels[i]}`));
    split[part] = [STARTS[part], new Date(start + labels.length * HOUR).toISOString()];
  }
  writeFileSync(join(to, 'labels.csv'), `${rows.join('\n')}\n`);
  return split;
}

/** NumPy's format 1.0, bytes in row-major order. */
function npy(values, shape) {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`;
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([head, Buffer.from(padded), values]);
}
