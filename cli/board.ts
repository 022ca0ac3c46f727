/** `stormreel board`: a dashboard of a queue in the browser. */
import { ConfigError } from '../pipeline/errors.js';
import { openBoard } from '../workers/index.js';
import { action, define } from './command.js';
import { placeOf } from './queue.js';
import { queueOption } from './queueOption.js';

interface Flags {
  queue?: string;
  port: string;
  host: string;
}

export const command = () =>
  define(
    'board',
    'Dashboard of a queue, read-only, until interrupted',
    'stormreel board --queue redis://127.0.0.1:6379',
  )
    .argument('[folder]', 'dataset or run whose queue it is')
    .addOption(queueOption())
    .option('--port <n>', 'port; 0 for any free one', '3400')
    .option('--host <address>', 'address to listen on; it has no password', '127.0.0.1')
    .action(
      action<Flags>(async ({ args: [folder], flags, out, signal }) => {
        const port = Number(flags.port);
        if (!Number.isInteger(port) || port < 0 || port > 65_535)
          throw new ConfigError(`--port is "${flags.port}"`, { hint: 'give 0 to 65535, e.g. --port 3400' });
        const board = await openBoard({ place: placeOf(folder, flags.queue), port, host: flags.host });
        out.log(`board at ${board.address} (Ctrl-C ends it)`);
        if (!signal.aborted)
          await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
        await board.close();
        out.result({ address: board.address }, 'board ended');
      }),
    );
