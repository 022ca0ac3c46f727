/** `stormreel board`: a dashboard of a queue in the browser. */
import { ConfigError } from '../pipeline/errors.js';
import { openBoard } from '../workers/index.js';
import { action, define } from './command.js';
import { placeOf } from './queue.js';
import { queueOption, readSecret } from './queueOption.js';
import { whole } from './whole.js';

interface Flags {
  queue?: string;
  port: string;
  host: string;
  passwordFile?: string;
  allowChanges?: boolean;
}

export const command = () =>
  define(
    'board',
    'Dashboard of a queue until interrupted: read-only, on this machine alone, unless asked otherwise',
    'STORMREEL_BOARD_PASSWORD=... stormreel board --queue redis://127.0.0.1:6379 --host 0.0.0.0',
  )
    .argument('[folder]', 'dataset or run whose queue it is')
    .addOption(queueOption())
    .option('--port <n>', 'port; 0 for any free one', '3400')
    .option('--host <address>', 'address to listen on; any but loopback needs a password', '127.0.0.1')
    .option('--password-file <file>', 'file with the password; or set STORMREEL_BOARD_PASSWORD')
    .option('--allow-changes', 'jobs may be tried again and removed, queues paused')
    .action(
      action<Flags>(async ({ args: [folder], flags, out, signal }) => {
        const { host, allowChanges } = flags;
        const port = whole('--port', flags.port, 0, 65_535);
        const password = passwordOf(flags, process.env);
        const board = await openBoard({
          place: placeOf(folder, flags.queue),
          port,
          host,
          password,
          allowChanges,
        });
        out.log(
          `board at ${board.address}${password ? ', any user name, with the password' : ''} (Ctrl-C ends it)`,
        );
        if (!signal.aborted)
          await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
        await board.close();
        out.result({ address: board.address }, 'board ended');
      }),
    );

function passwordOf({ passwordFile }: Flags, env: NodeJS.ProcessEnv): string | undefined {
  const password = env.STORMREEL_BOARD_PASSWORD || undefined;
  if (password && passwordFile)
    throw new ConfigError('both --password-file and STORMREEL_BOARD_PASSWORD are given', {
      hint: 'leave one of them out',
    });
  return passwordFile ? readSecret(passwordFile, '--password-file') : password;
}
