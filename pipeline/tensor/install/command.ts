/** Runs a program to its end; nothing is printed. */
import { spawn } from 'node:child_process';

export interface Finished {
  /** Exit code; 127 when the program is not there, 1 when a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Text for its standard input. */
  input?: string;
  signal?: AbortSignal;
}

/** @throws AbortError when `signal` fires; the program is killed. */
export function command(program: string, args: string[], options: CommandOptions = {}): Promise<Finished> {
  const { cwd, env, input = '', signal } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, signal, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (out.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (out.stderr += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve({ code: 127, ...out, stderr: `${program}: not found` });
      else reject(error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, ...out }));
    child.stdin.on('error', () => {}); // a program that ended early
    child.stdin.end(input);
  });
}

/** The last lines of a program's complaint, for an error message. */
export const lastLines = (text: string, count = 3): string =>
  text.trim().split('\n').slice(-count).join(' | ').slice(-600);
