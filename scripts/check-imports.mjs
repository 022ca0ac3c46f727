/**
 * Fails when a folder imports from one listed below it, reaches past another folder's index.ts or out of the product,
 * when files import one another in a circle, when TensorFlow.js is imported outside pipeline/tensor, when a package is used
 * that package.json does not name among its dependencies, or when a file is over 400 lines without a reason
 * (`@long because ...`).
 *
 *   npm run imports
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder imports only from folders listed above it. */
export const ORDER = [
  'schemas',
  'pipeline/errors.ts',
  'pipeline/random.ts',
  'pipeline/progress.ts',
  'pipeline/buffers.ts',
  'pipeline/remote',
  'pipeline/kernels',
  'pipeline/guard',
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
  'pipeline/keras',
  'pipeline/labelling',
  'pipeline/anomaly',
  'pipeline/reports',
  'pipeline/index.ts',
  'workers',
  'index.ts',
  'cli',
];
const PRODUCT = ['index.ts', 'schemas', 'pipeline', 'workers', 'cli'];
const OTHERS = ['test', 'bench', 'scripts', 'examples'];
const MAX_LINES = 400;

const rank = (path) => ORDER.findIndex((entry) => path === entry || path.startsWith(`${entry}/`));

/** One line a fault; `root` is the folder that holds index.ts. */
export function checkImports(root) {
  const product = PRODUCT.flatMap((entry) => files(root, entry, /\.ts$/));
  const imports = new Map(product.map((file) => [file, importsOf(root, file)]));
  const lengths = [...PRODUCT, ...OTHERS].flatMap((entry) => files(root, entry, /\.(ts|mjs|js|css|py)$/));
  return [
    ...lengths.flatMap((file) => tooLong(root, file)),
    ...[...imports].flatMap(([file, found]) => misplaced(file, found)),
    ...[...imports].flatMap(([file, found]) => undeclared(root, file, found)),
    ...circles(imports),
  ];
}

/** Paths from the root, with forward slashes. */
function files(root, entry, ending) {
  const path = join(root, entry);
  if (!existsSync(path)) return [];
  if (entry.includes('.')) return [entry];
  return readdirSync(path, { recursive: true })
    .map((name) => `${entry}/${name.replaceAll('\\', '/')}`)
    .filter(
      (file) =>
        ending.test(file) &&
        !file.endsWith('.d.ts') &&
        !/(^|\/)(out|node_modules|kernels\/assembly)\//.test(file),
    );
}

function tooLong(root, file) {
  const text = readFileSync(join(root, file), 'utf8');
  const lines = text.replace(/\n$/, '').split('\n').length;
  if (lines <= MAX_LINES || /@long \S+/.test(text)) return [];
  return [`${file}: ${lines} lines without a reason (@long because ...)`];
}

/** Specifiers of static, dynamic and type imports; comments do not count. */
function importsOf(root, file) {
  const text = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');
  const found = text.matchAll(
    /(?<type>\b(?:import|export)\s+type\s[^'";]*?)?(?:\bfrom|\bimport\s*\(?|\b(?:load|require)\s*\()\s*['"](?<specifier>[^'"\n]+)['"]/g,
  );
  return [...found].map(({ groups: { type, specifier } }) => ({
    specifier,
    /** Gone at run time. */
    isType: type !== undefined,
    target: specifier.startsWith('.')
      ? relative(root, resolve(root, dirname(file), specifier))
          .replaceAll('\\', '/')
          .replace(/\.js$/, '.ts')
      : null,
  }));
}

function misplaced(file, imports) {
  const faults = [];
  const from = rank(file);
  if (from < 0) faults.push(`${file}: its folder is not in the order of scripts/check-imports.mjs`);
  for (const { specifier, target } of imports) {
    if (specifier.startsWith('@tensorflow/') && !file.startsWith('pipeline/tensor/'))
      faults.push(`${file}: imports ${specifier}; only pipeline/tensor may`);
    if (target === null || /\.json$/.test(target)) continue;
    const to = rank(target);
    if (to < 0) faults.push(`${file}: imports ${target}, which is no part of the product`);
    if (to > from) faults.push(`${file}: imports ${target}, which comes after it`);
    const crosses = to >= 0 && to !== from && ORDER[to].startsWith('pipeline/') && !ORDER[to].endsWith('.ts');
    if (crosses && target !== `${ORDER[to]}/index.ts`)
      faults.push(`${file}: imports ${target} past ${ORDER[to]}/index.ts`);
  }
  return faults;
}

/** What another package brings along is there by chance: an optional one that fails to install takes it away. */
function undeclared(root, file, imports) {
  const manifest = join(root, 'package.json');
  if (!existsSync(manifest)) return [];
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8'));
  const names = imports
    .filter(({ specifier, target, isType }) => target === null && !isType && !specifier.startsWith('node:'))
    .map(({ specifier }) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
  return [...new Set(names)]
    .filter((name) => !Object.hasOwn({ ...dependencies, ...optionalDependencies }, name))
    .map((name) => `${file}: uses ${name}, which package.json does not name among its dependencies`);
}

/** The circles that a depth-first walk closes; types may refer to one another. */
function circles(imports) {
  const faults = [];
  const done = new Set();
  const path = [];
  const visit = (file) => {
    const at = path.indexOf(file);
    if (at >= 0) faults.push(`circle: ${[...path.slice(at), file].join(' -> ')}`);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const { target, isType } of imports.get(file) ?? []) if (target !== null && !isType) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = checkImports(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const fault of faults) console.error(fault);
  if (faults.length) process.exit(1);
  console.log('imports: all in order');
}
