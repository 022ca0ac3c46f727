/** The compiled program as a process that a test speaks with while it runs: lines as they come, signals, children. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './program.js';

export interface Live {
  pid: number;
  stdout(): string;
  stderr(): string;
  /** The first group (or the whole) of the first match in what has come so far or comes yet. */
  line(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Exit code; null after a signal. */
  ended: Promise<number | null>;
}

/** `env` comes on top of the test's own; `cwd`: where it runs. */
export function live(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Live {
  const child = spawn(process.execPath, [join(ROOT, 'bin/stormreel.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    cwd,
  });
  const texts = { stdout: '', stderr: '' };
  let over = false;
  child.stdout.on('data', (part) => (texts.stdout += part));
  child.stderr.on('data', (part) => (texts.stderr += part));
  const ended = new Promise<number | null>((done) => {
    child.once('exit', (code) => {
      setTimeout(() => {
        over = true;
        done(code);
      }, 50); // the last lines are still in the pipes; `close` waits for children too
    });
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    line: async (pattern, stream = 'stderr') => {
      for (;;) {
        const found = pattern.exec(texts[stream]);
        if (found) return found[1] ?? found[0];
        if (over) throw new Error(`ended without ${pattern}: ${texts.stdout}${texts.stderr}`);
        await sleep(20);
      }
    },
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** Pids of the children that a process has now; Linux only, elsewhere none. */
export function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`).trim();
  return text ? text.split(' ').map(Number) : [];
}

/** A file of /proc; empty where there is none. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
