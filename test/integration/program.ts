/** The compiled program as a user runs it: built when its sources are newer, started as a process of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = join(ROOT, 'dist/workers/processors/child.js');

/** Compiles when dist is older than a source file; types are checked by `npm run types`. */
export function buildWhenStale(): void {
  const folders = ['schemas', 'pipeline', 'workers', 'cli'].map((name) => join(ROOT, name));
  const built = existsSync(BUILT) ? statSync(join(ROOT, 'dist/cli/main.js')).mtimeMs : 0;
  const index = statSync(join(ROOT, 'index.ts')).mtimeMs;
  if (index < built && folders.every((folder) => newest(folder) < built)) return;
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--noCheck'], { cwd: ROOT, stdio: 'inherit' });
  execFileSync(process.execPath, ['scripts/build-kernels.mjs'], { cwd: ROOT, stdio: 'inherit' });
}

function newest(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  return Math.max(...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  pid: number;
  kill(): void;
  ended: Promise<Ended>;
}

export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(ROOT, 'bin/stormreel.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const texts = ['', ''];
  child.stdout.on('data', (part) => (texts[0] += part));
  child.stderr.on('data', (part) => (texts[1] += part));
  const ended = new Promise<Ended>((done) => {
    child.once('exit', (code, signal) => {
      // Children that outlive it hold the pipes open, so `close` may come much later.
      setTimeout(() => done({ code, signal, stdout: texts[0], stderr: texts[1] }), 50);
    });
  });
  return { pid: child.pid ?? 0, kill: () => child.kill('SIGKILL'), ended };
}

export const run = (args: readonly string[]): Promise<Ended> => start(args).ended;
