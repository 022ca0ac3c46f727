import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
let child: string;

// The child is compiled on its own; inside node_modules it finds the packages.
beforeAll(() => {
  const cache = join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'stormreel-kill-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: resolve(root, 'tsconfig.json'),
      compilerOptions: { rootDir: root, outDir: join(folder, 'js'), declaration: false, noCheck: true },
      files: [resolve(root, 'test/training/child.ts')],
      include: [],
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  child = join(folder, 'js/test/training/child.js');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (run: string): ChildProcess =>
  spawn(process.execPath, [child, run], { stdio: ['ignore', 'ignore', 'pipe'] });
const ended = (process: ChildProcess) =>
  new Promise<number | null>((done, fail) => {
    let errors = '';
    process.stderr?.on('data', (text) => {
      errors += text;
    });
    process.on('error', fail);
    process.on('close', (code) => (code ? fail(new Error(errors)) : done(code)));
  });
const newRun = (name: string): string => {
  mkdirSync(join(folder, name));
  return join(folder, name);
};
const logLines = (run: string): number =>
  existsSync(join(run, 'log.jsonl'))
    ? readFileSync(join(run, 'log.jsonl'), 'utf8').split('\n').length - 1
    : 0;
/** Kills the process once the log has `lines` lines. */
async function killAt(process: ChildProcess, run: string, lines: number): Promise<void> {
  const over = ended(process);
  while (logLines(run) < lines && process.exitCode === null) await new Promise((go) => setTimeout(go, 5));
  process.kill('SIGKILL');
  await over;
}
const order = (run: string) =>
  readFileSync(join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ member, step, order, loss }) => [member, step, order, loss]);

it('a training killed twice goes on in the same sample order and ends with the same bytes', async () => {
  const undisturbed = newRun('undisturbed');
  await ended(start(undisturbed));
  const killed = newRun('killed');
  for (const lines of [15, 73]) {
    await killAt(start(killed), killed, lines);
    expect(existsSync(join(killed, 'model.json'))).toBe(false);
  }
  await ended(start(killed));
  expect(order(killed)).toEqual(order(undisturbed));
  expect(order(killed)).toHaveLength(100);
  const weights = (run: string) => readFileSync(join(run, 'model.safetensors'));
  expect(weights(killed).equals(weights(undisturbed))).toBe(true);
});
