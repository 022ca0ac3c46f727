/** What a job carries: references, never pixels. Parsed when it is made and again when it is taken up. */
import * as z from 'zod';

/** Most bytes of one payload as JSON; a payload that holds data instead of a reference is far over it. */
export const MAX_PAYLOAD_BYTES = 2048;

/** Fill the slots of one group of a dataset's plan. */
export const SlotsJob = z.strictObject({
  /** Absolute path of the dataset folder. */
  dataset: z.string(),
  /** Revision of the plan that the group was computed from. */
  revision: z.int().min(1),
  /** Position in `groupSlots(plan)`; the processor computes the groups again. */
  group: z.int().min(0),
  /** Hash of the group's slot ids: guards against another plan. */
  key: z.string(),
  onBadFrame: z.enum(['stop', 'skip']),
});
export type SlotsJob = z.infer<typeof SlotsJob>;

/** Fill a group of the slots of one revision, without looking at the rest of the plan: maps that have just come. */
export const RevisionJob = z.strictObject({
  dataset: z.string(),
  revision: z.int().min(1),
  /** Position in `groupSlots(slots of the revision)`. */
  group: z.int().min(0),
  /** Hash of the group's slot ids. */
  key: z.string(),
});
export type RevisionJob = z.infer<typeof RevisionJob>;

/** Compile the manifest of a dataset whose slots are all committed. */
export const FinaliseJob = z.strictObject({
  dataset: z.string(),
  /** Given: the job waits for the jobs that fill open slots under this rule. */
  onBadFrame: z.enum(['stop', 'skip']).optional(),
});
export type FinaliseJob = z.infer<typeof FinaliseJob>;

/** Run one `stormreel` command. */
export const StepJob = z.strictObject({ name: z.string(), command: z.array(z.string()).min(1) });
export type StepJob = z.infer<typeof StepJob>;

/** What a slots job reports while it works: frames of this job that are committed. */
export const SlotsProgress = z.strictObject({ frames: z.int().min(0) });
export type SlotsProgress = z.infer<typeof SlotsProgress>;

/** What a step reports while it works: a line of its command's stderr. */
export const StepProgress = z.strictObject({ line: z.string() });
export type StepProgress = z.infer<typeof StepProgress>;

/** Payload schema of each kind of job. */
export const JOBS = { slots: SlotsJob, revision: RevisionJob, finalise: FinaliseJob, step: StepJob } as const;
export type JobKind = keyof typeof JOBS;
export type Payload<Kind extends JobKind> = z.infer<(typeof JOBS)[Kind]>;
