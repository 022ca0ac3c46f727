/** A server that is gone holds a call for ever; cleaning up waits this long and goes on. */
const CLEAN_UP_MS = 3_000;

/** True when `work` ended in time, well or badly; false when it was left behind. */
export async function within(work: Promise<unknown>, ms = CLEAN_UP_MS): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((done) => {
    timer = setTimeout(() => done(false), ms);
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, late]).finally(() => clearTimeout(timer));
}
