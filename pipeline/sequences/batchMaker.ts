/** What puts batches of windows together: some are begun ahead, and each is asked for in turn. */

export interface MadeBatch {
  /** `[frames, height, width, band]`, lent until the next batch is asked for. */
  values: Float32Array;
  /** `[frames, height, width]`, lent as `values` is; null without masks. */
  valid: Uint8Array | null;
  /** Frames read for the batches so far. */
  reads: number;
}

export interface BatchMaker {
  /** Begins a batch of these frames, -1 for an empty slot; at most `ahead` may wait to be asked for beside it. */
  begin(frames: Int32Array): void;
  /** The batch that was begun first of those not asked for yet. */
  next(): Promise<MadeBatch>;
  /** Ends the threads; batches that are awaited fail. */
  close(): Promise<void>;
}

export interface MakerOptions {
  /** Most frames of a batch. */
  frames: number;
  /** Batches made ready while one is lent. */
  ahead: number;
  threads: number;
  /** Whether masks are made too. */
  masks: boolean;
  /** Frames that the ring can hold, and those that stay in it while nobody asks for them. */
  capacityFrames: number;
  keepFrames: number;
}
