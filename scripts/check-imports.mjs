/**
 * Fails when a folder imports from one listed below it, reaches past another folder's index.ts, or when
 * TensorFlow.js is imported outside pipeline/tensor, or a file of the product is over 400 lines without a reason.
 *
 *   npm run imports
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** A folder imports only from folders listed above it. */
const ORDER = [
  'schemas',
  'pipeline/errors.ts',
  'pipeline/random.ts',
  'pipeline/progress.ts',
  'pipeline/raster',
  'pipeline/simulation',
  'pipeline/shards',
  'pipeline/labels',
  'pipeline/sequences',
  'pipeline/channels',
  'pipeline/tensor',
  'pipeline/nn',
  'pipeline/models',
  'pipeline/training',
  'pipeline/labelling',
  'pipeline/anomaly',
  'pipeline/reports',
  'pipeline/index.ts',
  'workers',
  'cli',
];
const MAX_LINES = 400;

const rank = (path) => ORDER.findIndex((entry) => path === entry || path.startsWith(`${entry}/`));

export function checkImports() {
  const faults = [];
  for (const file of ORDER.filter((e) => !e.includes('.')).flatMap(files)) check(file, faults);
  for (const file of ['errors', 'random', 'progress', 'index'].map((n) => `pipeline/${n}.ts`))
    check(file, faults);
  return faults;
}

function files(folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { recursive: true });
  } catch {
    return [];
  }
  return entries
    .filter((f) => f.endsWith('.ts') && !f.endsWith('.d.ts'))
    .map((f) => `${folder}/${f.replaceAll('\\', '/')}`);
}

function check(file, faults) {
  let text;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch {
    return;
  }
  if (rank(file) < 0) faults.push(`${file}: its folder is not in the order of scripts/check-imports.mjs`);
  const lines = text.split('\n').length;
  if (lines > MAX_LINES && !text.includes('@long '))
    faults.push(`${file}: ${lines} lines without a reason (@long ...)`);
  for (const [, specifier] of text.matchAll(/(?:from|import\(?)\s*['"]([^'"]+)['"]/g)) {
    if (specifier.startsWith('@tensorflow/') && !file.startsWith('pipeline/tensor/'))
      faults.push(`${file}: imports ${specifier}; only pipeline/tensor may`);
    if (!specifier.startsWith('.')) continue;
    const target = relative(root, resolve(root, dirname(file), specifier))
      .replaceAll('\\', '/')
      .replace(/\.js$/, '.ts');
    const [from, to] = [rank(file), rank(target)];
    if (to > from) faults.push(`${file}: imports ${target}, which is above it`);
    const crosses = to >= 0 && to !== from && ORDER[to].startsWith('pipeline/') && !ORDER[to].endsWith('.ts');
    if (crosses && target !== `${ORDER[to]}/index.ts`)
      faults.push(`${file}: imports ${target} past ${ORDER[to]}/index.ts`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = checkImports();
  for (const fault of faults) console.error(fault);
  if (faults.length) process.exit(1);
  console.log('imports: all in order');
}
