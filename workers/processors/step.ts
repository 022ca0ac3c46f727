/** Runs one `stormreel` command as its own process; its lines go to whoever watches the job. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UnrecoverableError } from 'bullmq';
import type { StepJob, StepProgress } from '../../schemas/jobs/index.js';
import { typedError } from '../queues/failure.js';
import type { JobContext } from './child.js';

const PROGRAM = fileURLToPath(new URL('../../../bin/stormreel.js', import.meta.url));
const KEPT_LINES = 40;

/** Resolves when the command ends well. Exit code 2 becomes the command's own typed error; none is tried again. */
export async function runStep({ name, command }: StepJob, { progress, signal }: JobContext): Promise<void> {
  // The channel carries nothing: it closes when this process is killed, and the command then ends (cli/orphan.ts).
  const child = spawn(process.execPath, [PROGRAM, ...command], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const leave = () => child.kill('SIGKILL'); // also when the guard ends this process
  process.once('exit', leave);
  const interrupt = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    const { code, lines } = await ended(child, (line) => progress({ line } satisfies StepProgress));
    if (code !== 0) throw errorOf(name, code, lines);
  } finally {
    process.off('exit', leave);
    signal?.removeEventListener('abort', interrupt);
  }
}

async function ended(
  child: ChildProcess,
  tell: (line: string) => Promise<void>,
): Promise<{ code: number | null; lines: string[] }> {
  const lines: string[] = [];
  let failed = false;
  const code = new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (!child.stderr) throw new Error('the command has no stderr');
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
    failed ||= /^\w*Error: /.test(line); // told once, by whoever catches it
    if (!failed) await tell(line);
  }
  return { code: await code, lines };
}

/** The command's text `Tag: message`, `  hint: ...` as the error it was. */
function errorOf(name: string, code: number | null, lines: readonly string[]): Error {
  const [, tag, message, hint] = /^(\w+Error): ([\s\S]*?)\n {2}hint: (.*)$/m.exec(lines.join('\n')) ?? [];
  const typed = code === 2 && tag ? typedError(tag, message, { hint, fields: { step: name } }) : null;
  if (typed) return typed;
  const last = lines.slice(-12).join('\n');
  return new UnrecoverableError(
    `step "${name}" ended with ${code === null ? 'a signal' : `exit code ${code}`}:\n${last}`,
  );
}
