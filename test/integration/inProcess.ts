/** Commands inside the test's own process: exit code and the one JSON document of `--json`. */
import type { Command } from 'commander';
import { vi } from 'vitest';

export interface Outcome {
  code: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the command prints
  json: any;
}

export async function call(command: () => Command, args: readonly string[]): Promise<Outcome> {
  const written: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await command().parseAsync([...args, '--json'], { from: 'user' });
    return { code: Number(process.exitCode), json: JSON.parse(written.join('')) };
  } finally {
    process.exitCode = before;
    stdout.mockRestore();
  }
}
