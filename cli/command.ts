/**
 * What every command shares: common flags, errors to exit codes, JSON on stdout, progress on stderr.
 *
 *   export const command = () => define('hash', 'Print the dataset hash').argument('<dataset>')
 *     .action(action(async ({ args: [dataset], out }) => out.result({ hash }, hash)));
 */
import { Command, type CommanderError } from 'commander';
import * as z from 'zod';
import { ConfigError, isStormreelError } from '../pipeline/errors.js';
import type { OnProgress } from '../pipeline/progress.js';
import { RemoteFault } from '../pipeline/remote/index.js';
import { progressBars } from './progress.js';

/** A command with `--json`, `--quiet` and an example in its help. */
export function define(name: string, summary: string, example: string): Command {
  return new Command(name)
    .description(summary)
    .option('--json', 'print one JSON document on stdout and nothing else')
    .option('--quiet', 'no progress, no log')
    .addHelpText('after', `\nExample:\n  ${example}`)
    .configureOutput({ outputError: () => {} }) // told by `report`, with a hint and as JSON where asked
    .exitOverride();
}

export interface Output {
  /** Prints the command's result: `value` with --json, `text` otherwise. Call once. */
  result(value: unknown, text: string): void;
  /** One line to stderr unless --quiet. */
  log(line: string): void;
  onProgress: OnProgress;
  json: boolean;
}

export interface Call<Flags> {
  args: string[];
  flags: Flags;
  out: Output;
  /** Aborted on the first SIGINT or SIGTERM; a second one exits at once. */
  signal: AbortSignal;
}

/** Wraps a command's work: typed errors become text, hint and exit code 2; others 1; interrupted 130. */
export function action<Flags = Record<string, unknown>>(work: (call: Call<Flags>) => Promise<void>) {
  return async function (this: Command) {
    const flags = this.optsWithGlobals() as Flags & { json?: boolean; quiet?: boolean };
    const bars = progressBars(!flags.quiet && !flags.json);
    const out: Output = {
      json: Boolean(flags.json),
      result: (value, text) => {
        bars.stop();
        process.stdout.write(`${flags.json ? JSON.stringify(value) : text}\n`);
      },
      log: (line) => {
        if (!flags.quiet) bars.log(line);
      },
      onProgress: bars.update,
    };
    const controller = new AbortController();
    const interrupt = () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    try {
      await work({
        args: this.processedArgs.flat().filter((a) => a !== undefined) as string[],
        flags,
        out,
        signal: controller.signal,
      });
    } catch (error) {
      bars.stop();
      process.exitCode = controller.signal.aborted
        ? interrupted(out.json)
        : report(error, Boolean(flags.json));
    } finally {
      bars.stop();
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
    }
  };
}

/** Even then whoever reads JSON gets a document. */
function interrupted(json: boolean): number {
  const error = { tag: 'Interrupted', message: 'interrupted', hint: 'the same command again goes on' };
  if (json) process.stdout.write(`${JSON.stringify({ error })}\n`);
  return 130;
}

/** Prints an error as its reader needs it and returns the exit code. */
export function report(error: unknown, json: boolean): number {
  const known = error instanceof z.ZodError ? configError(error) : (fileError(error) ?? error);
  if (isStormreelError(known)) {
    if (json) {
      const { tag, message, hint, fields } = known;
      process.stdout.write(`${JSON.stringify({ error: { tag, message, hint, fields } })}\n`);
    } else process.stderr.write(`${known.tag}: ${known.message}\n  hint: ${known.hint}\n`);
    return 2;
  }
  const passing = known instanceof RemoteFault;
  const text =
    known instanceof Error ? (passing ? known.message : (known.stack ?? known.message)) : String(known);
  if (json) process.stdout.write(`${JSON.stringify({ error: { tag: 'Error', message: text } })}\n`);
  else
    process.stderr.write(
      `${text}\n  ${passing ? 'this is a fault of the network or of the server; the same command again goes on' : 'this is a fault of stormreel or of the machine, not of your input'}\n`,
    );
  return 1;
}

/** What the file system says of a path that cannot be used, in words; null for any other error. */
const FILE_FAULTS: Record<string, string> = {
  EACCES: 'it is not allowed',
  EPERM: 'it is not allowed',
  EROFS: 'the file system is read-only',
  EEXIST: 'it, or a folder above it, is a file',
  ENOTDIR: 'a folder above it is a file',
  EISDIR: 'it is a folder',
  ENOENT: 'it, or a folder above it, is not there',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  ENAMETOOLONG: 'its name is too long',
};

/** Mostly places for output: input that is not there has its own error where it is read. */
function fileError(error: unknown): ConfigError | null {
  if (!(error instanceof Error)) return null;
  const { code = '', syscall = '', path, dest } = error as NodeJS.ErrnoException & { dest?: string };
  const where = dest ?? path;
  if (!where || !(code in FILE_FAULTS) || !['mkdir', 'open', 'rename', 'link'].includes(syscall)) return null;
  return new ConfigError(`cannot use ${where}: ${FILE_FAULTS[code]} (${code})`, {
    hint: 'name another place, one that you may write to; what was finished before stays',
    cause: error,
    fields: { path: where, code },
  });
}

/** What commander says of a command line that it cannot read, as one of ours. */
export function usageError({ code, message }: CommanderError, command: string): ConfigError {
  const noCommand = code === 'commander.help'; // it has printed the overview
  return new ConfigError(noCommand ? 'no command is given' : message.replace(/^error: /, ''), {
    hint: `${command} --help`,
    fields: { code },
  });
}

/** A zod error with each field and what it should be. */
export function configError(error: z.ZodError, where = 'configuration'): ConfigError {
  const issues = error.issues.map((issue) => `${issue.path.join('.') || '(top)'}: ${issue.message}`);
  return new ConfigError(`${where} does not fit: ${issues.join('; ')}`, {
    hint: 'correct these fields; schemas/json/stormreel.schema.json lists them all for your editor',
    fields: { issues },
  });
}
