/** Blocks of neighbouring series: footprints that overlap form a region, cut along x into sectors of a tile's width. */
import type { DatasetDescription, Footprint } from '../../../schemas/records/index.js';
import { isGeographic } from '../../labels/index.js';
import { footprintsMeet } from '../../sequences/index.js';
import type { FrameIndex } from '../../shards/index.js';

export interface Sectors {
  /** Group of each series of the index; -1 for series that are not used. */
  group: Int32Array;
  /** x of each used series' centre, from the region's western end on; NaN for others. */
  x: Float64Array;
  /** True when any two used series overlap. */
  overlap: boolean;
}

/** Null where a used series has no footprint. */
export function sectors(
  { series, sourceGrid }: DatasetDescription,
  index: FrameIndex,
  used: ReadonlySet<number>,
): Sectors | null {
  const byName = new Map(series.map((s) => [s.name, s]));
  const places: { id: number; footprint: Footprint; width: number }[] = [];
  for (const id of used) {
    const found = byName.get(index.seriesNames[id]);
    if (!found?.footprint) return null;
    const { footprint, tile } = found;
    const share = tile ? (tile.width - 2 * tile.margin) / tile.width : 1;
    places.push({ id, footprint, width: (footprint[2] - footprint[0]) * share });
  }
  const turn = isGeographic(sourceGrid.crs) ? 360 : null;
  const region = regions(places, turn);
  const group = new Int32Array(index.seriesNames.length).fill(-1);
  const x = new Float64Array(index.seriesNames.length).fill(Number.NaN);
  let next = 0;
  for (let r = 0; r <= Math.max(...region); r++) {
    const members = places.filter((_, i) => region[i] === r);
    next += cutAlongX(members, turn, group, x, next);
  }
  return { group, x, overlap: new Set(region).size < places.length };
}

/** Connected components of overlapping footprints (touching is not overlapping here). */
function regions(places: { footprint: Footprint }[], turn: number | null): number[] {
  const region = new Array<number>(places.length).fill(-1);
  let next = 0;
  for (let seed = 0; seed < places.length; seed++) {
    if (region[seed] >= 0) continue;
    const open = [seed];
    region[seed] = next;
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (let other = 0; other < places.length; other++) {
        if (region[other] >= 0) continue;
        if (!footprintsMeet(shrunk(places[at].footprint), shrunk(places[other].footprint), turn)) continue;
        region[other] = next;
        open.push(other);
      }
    next++;
  }
  return region;
}

function shrunk([west, south, east, north]: Footprint): Footprint {
  const [dx, dy] = [(east - west) * 1e-6, (north - south) * 1e-6];
  return [west + dx, south + dy, east - dx, north - dy];
}

function cutAlongX(
  members: { id: number; footprint: Footprint; width: number }[],
  turn: number | null,
  group: Int32Array,
  x: Float64Array,
  first: number,
): number {
  const raw = members.map(({ footprint }) => (footprint[0] + footprint[2]) / 2);
  const from = westEnd(raw, turn);
  members.forEach(({ id }, i) => {
    x[id] = turn === null ? raw[i] - from : (((raw[i] - from) % turn) + turn) % turn;
  });
  const places = [...new Set(members.map(({ id }) => x[id]))].sort((a, b) => a - b);
  const span = places[places.length - 1];
  const step = places.length > 1 ? span / (places.length - 1) : 0;
  const width = Math.max(...members.map((m) => m.width));
  const count = Math.max(1, Math.round((span + step) / width));
  for (const { id } of members)
    group[id] = first + Math.min(count - 1, Math.floor((x[id] / (span + step || 1)) * count));
  return count;
}

/** On a circle the region begins after the widest hole between centres. */
function westEnd(centres: number[], turn: number | null): number {
  if (turn === null) return Math.min(...centres);
  const around = [...new Set(centres.map((c) => ((c % turn) + turn) % turn))].sort((a, b) => a - b);
  let [from, widest] = [around[0], 0];
  around.forEach((centre, i) => {
    const before = i === 0 ? around[around.length - 1] - turn : around[i - 1];
    if (centre - before > widest) [from, widest] = [centre, centre - before];
  });
  return from;
}
