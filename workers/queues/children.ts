/**
 * Child processes that can be killed at any moment: the job of one that ends settles, always. BullMQ's own pool waits
 * for ever for a child that dies while it starts, fails when a message cannot be sent, and lends a child again that
 * still works on a job which the parent has given up, so that the next job would get the answer of the last. A child
 * that is still starting when the worker closes is not in its pool yet, and would keep both processes alive for ever.
 *
 *   new SafeWorker(name, '/path/of/processor.js', options)          as BullMQ's Worker
 */
import { Child, ChildCommand, ChildPool, ParentCommand, Worker } from 'bullmq';
import { patient } from './putOff.js';

/** A child loads its modules in half a second; a machine with far too much to do takes longer. */
const START_WITHIN_MS = 60_000;

type PoolOptions = ConstructorParameters<typeof ChildPool>[0];

class WorkerOfSafeChildren extends Worker {
  protected override createSandbox(file: Parameters<Worker['createSandbox']>[0]): void {
    const made = this as unknown as { childPool: { opts: PoolOptions } | SafePool }; // private; closed by the worker
    if (!(made.childPool instanceof SafePool)) made.childPool = new SafePool(made.childPool.opts);
    super.createSandbox(file);
    this.processFn = patient(this as unknown as Worker, this.processFn);
  }
}

/** The back end's type is a parameter of BullMQ's class. */
export const SafeWorker = WorkerOfSafeChildren as unknown as typeof Worker;

class SafePool extends ChildPool {
  private readonly options: PoolOptions;
  private readonly starting = new Set<SafeChild>();
  private closed = false;

  constructor(options: PoolOptions) {
    super(options);
    this.options = options;
  }

  override async retain(file: string): Promise<Child> {
    const child = this.getFree(file).pop() ?? (await this.begin(file));
    this.retained[child.pid] = child;
    return child;
  }

  /** Only a child that has answered can take another job. */
  override release(child: Child): void {
    if (child instanceof SafeChild && child.busy) void this.kill(child).catch(() => {});
    else super.release(child);
  }

  /** Also of children that are not ready yet: they hold no job. */
  override async clean(): Promise<void> {
    this.closed = true;
    for (const child of this.starting) child.childProcess?.kill('SIGKILL');
    await super.clean();
  }

  private async begin(file: string): Promise<Child> {
    if (this.closed) throw new Error('the worker is closed');
    const child = new SafeChild(this.options.mainFile ?? '', file, this.options);
    child.on('exit', () => this.remove(child));
    this.starting.add(child);
    try {
      await child.init();
      if (this.closed) throw new Error('the worker was closed while a child started');
      return child;
    } catch (error) {
      if (child.childProcess?.pid) void this.kill(child).catch(() => {});
      throw error;
    } finally {
      this.starting.delete(child);
    }
  }
}

class SafeChild extends Child {
  /** It has a job and has not answered. */
  busy = false;

  /** Rejects when it ends, cannot be forked or is not ready in time. */
  override async init(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, fail) => {
      this.on('exit', (code, signal) => fail(new Error(`a child ended while it started: ${signal ?? code}`)));
      this.on('error', fail);
      timer = setTimeout(
        () => fail(new Error(`a child was not ready within ${START_WITHIN_MS / 1000} s`)),
        START_WITHIN_MS,
      );
    });
    this.on('message', ({ cmd }) => {
      if (ANSWERS.includes(cmd)) this.busy = false;
    });
    const begun = super.init();
    begun.catch(() => {}); // may fail after the race
    await Promise.race([begun, failed]).finally(() => clearTimeout(timer));
  }

  /** What cannot be sent ends the child, and its exit is what the job hears of. */
  override async send(message: { cmd: ChildCommand }): Promise<void> {
    if (message.cmd === ChildCommand.Start) this.busy = true;
    await super.send(message).catch(() => this.childProcess.kill('SIGKILL'));
  }
}

const ANSWERS = [ParentCommand.Completed, ParentCommand.Failed];
