/** Frames whose values are others than before. */
import { commitsOf } from './dataset.js';
import { BAD, type KnownFrame, LABELLED } from './known.js';

/**
 * `before`: frames and the slot that held each before. `mended`: frames that were bad and are good now; `altered`: frames
 * with a label whose values are others now. What is not committed is in neither.
 */
export async function changedContent(
  address: string,
  before: ReadonlyMap<KnownFrame, string>,
): Promise<{ mended: KnownFrame[]; altered: KnownFrame[] }> {
  const commits = await commitsOf(
    address,
    [...before].flatMap(([{ slot }, old]) => [slot, old]),
  );
  const content = (slot: string, at: number) =>
    commits.get(slot)?.frames.find(({ time }) => time === at)?.content;
  const found = { mended: [] as KnownFrame[], altered: [] as KnownFrame[] };
  for (const [frame, old] of before) {
    const { slot, time, state } = frame;
    const now = content(slot, time);
    if (state === BAD && now) found.mended.push(frame);
    if (state === LABELLED && now !== undefined && now !== content(old, time)) found.altered.push(frame);
  }
  return found;
}
