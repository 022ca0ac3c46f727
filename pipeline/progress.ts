/** How long work reports itself; the command line turns it into a bar with rate and remaining time. */
export interface Progress {
  /** What is being done, e.g. `ingest`, `train`. A new stage starts a new bar. */
  stage: string;
  done: number;
  total: number;
  /** What is counted, in the plural, e.g. `frames`. */
  unit: string;
  /** Short extra text, e.g. `loss 0.31 AP 0.82`. */
  note?: string;
}

export type OnProgress = (progress: Progress) => void;
