/**
 * Makes a checkout ready: packages, build, native tensor backend. Does only what is missing or out of date, so that
 * `npm test` and `npm run demo` can call it every time. Node built-ins only.
 *
 *   node scripts/setup.mjs            STORMREEL_BACKEND=wasm leaves the native backend out
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCES = [
  'index.ts',
  'schemas',
  'pipeline',
  'workers',
  'cli',
  'scripts/build-kernels.mjs',
  'scripts/setup.mjs',
  'scripts/copy-assets.mjs',
  'tsconfig.json',
  'tsconfig.build.json',
];
const OLDEST_NODE = [20, 19];
/** After a failed installation of the native backend, how long to leave it before trying again. */
const RETRY_AFTER_MS = 3_600_000;

const say = (line) => console.error(`setup: ${line}`);

checkNode();
installPackages();
build();
await readyBackend();

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(`Node ${process.versions.node} is too old; install Node ${OLDEST_NODE.join('.')} or later`);
}

function installPackages() {
  if (packagesFit()) return;
  say('installing packages (npm ci, about a minute)');
  // shell: npm is a script on Windows.
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) fail('npm ci failed; see above');
}

/** True when node_modules holds what this lockfile asks for. Times say nothing after a checkout or a copy. */
function packagesFit() {
  const installed = join(root, 'node_modules/.package-lock.json'); // npm writes it last
  if (!existsSync(installed)) return false;
  const [wanted, have] = [join(root, 'package-lock.json'), installed].map(
    (path) => JSON.parse(readFileSync(path, 'utf8')).packages,
  );
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    return have[path] ? have[path].version === version : Boolean(optional || devOptional);
  });
}

function build() {
  const stamp = join(root, 'dist/.built');
  if (existsSync(stamp) && modified(stamp) >= Math.max(...SOURCES.map(newest))) return;
  const started = new Date();
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  runNode([tsc, '-p', 'tsconfig.build.json'], 'the build failed; see above');
  runNode(['scripts/build-kernels.mjs'], 'compiling the kernels failed; see above');
  runNode(['scripts/copy-assets.mjs'], 'copying assets failed; see above');
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started); // what was saved while the compiler ran counts as newer
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function readyBackend() {
  const asked = process.env.STORMREEL_BACKEND;
  if (asked && asked !== 'tensorflow') return;
  const location = join(root, 'dist/pipeline/tensor/install/location.js');
  const { cacheFolder, installedAddon } = await import(pathToFileURL(location).href);
  if (installedAddon()) return;
  const failed = join(cacheFolder(), 'install-failed');
  const recent = existsSync(failed) && Date.now() - modified(failed) < RETRY_AFTER_MS;
  if (!recent || asked) {
    say('installing native TensorFlow (once a machine: 274 MB, about half a minute)');
    const { status } = spawnSync(
      process.execPath,
      ['bin/stormreel.js', 'backend', 'install', '--if-missing'],
      { cwd: root, stdio: 'inherit' },
    );
    if (status === 0) {
      rmSync(failed, { force: true });
      return;
    }
    if (status === 130 || status === null) process.exit(130);
    if (asked) fail('STORMREEL_BACKEND=tensorflow was asked for and cannot be installed; see above');
    remember(failed);
  }
  say(
    'native TensorFlow is NOT available here: the slower wasm backend is used (retry: npx stormreel backend install)',
  );
}

function remember(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  } catch {
    // A cache that cannot be written only means that the next set-up tries again.
  }
}

function runNode(args, complaint) {
  if (spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status !== 0) fail(complaint);
}

/** Newest modification time of a file or of all TypeScript and assets below a folder; 0 when absent. */
function newest(path) {
  const full = join(root, path);
  if (!existsSync(full)) return 0;
  if (!statSync(full).isDirectory()) return modified(full);
  const names = readdirSync(full, { recursive: true });
  return Math.max(modified(full), ...names.map((name) => modified(join(full, name))));
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function fail(line) {
  say(line);
  process.exit(1);
}
