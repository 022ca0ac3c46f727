/** Outlines of the parts of a split: boxes of tiles that meet, joined. */
import type { Footprint } from '../../../schemas/records/index.js';

/** Joins boxes of one part that share ground and span the same latitudes; east may exceed 180. */
export function joinBoxes(boxes: readonly Footprint[]): Footprint[] {
  const rows = new Map<string, Footprint[]>();
  for (const box of boxes) {
    const key = `${box[1].toFixed(3)} ${box[3].toFixed(3)}`;
    rows.set(key, [...(rows.get(key) ?? []), box]);
  }
  return mergeStacked([...rows.values()].flatMap(joinRow));
}

function joinRow(boxes: Footprint[]): Footprint[] {
  const turned = boxes.map(([w, s, e, n]): Footprint => {
    const west = ((w % 360) + 360) % 360;
    return [west, s, west + e - w, n];
  });
  turned.sort((a, b) => a[0] - b[0]);
  const joined: Footprint[] = [];
  for (const box of turned) {
    const last = joined[joined.length - 1];
    if (last && box[0] <= last[2] + 1e-6) last[2] = Math.max(last[2], box[2]);
    else joined.push([...box]);
  }
  const [first, last] = [joined[0], joined[joined.length - 1]];
  if (joined.length > 1 && last[2] - 360 >= first[0] - 1e-6) {
    joined.shift();
    last[2] = Math.max(last[2], first[2] + 360);
  }
  return joined.map(([w, s, e, n]): Footprint => (w >= 180 ? [w - 360, s, e - 360, n] : [w, s, e, n]));
}

/** Boxes of the same longitudes whose latitudes meet become one. */
function mergeStacked(boxes: Footprint[]): Footprint[] {
  const merged: Footprint[] = [];
  for (const box of boxes.toSorted((a, b) => b[3] - a[3])) {
    const above = merged.find(
      (m) => Math.abs(m[0] - box[0]) < 1e-6 && Math.abs(m[2] - box[2]) < 1e-6 && m[1] <= box[3] + 1e-6,
    );
    if (above) above[1] = Math.min(above[1], box[1]);
    else merged.push([...box]);
  }
  return merged;
}
