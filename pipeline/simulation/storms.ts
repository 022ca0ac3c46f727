/** Who lives when and where: medicanes over sea, one at a time, and ordinary lows that cross the box. */
import type { Random } from '../random.js';
import { EXTENT_KM } from './box.js';
import { HOURS_PER_STORM, type SeasonOptions } from './options.js';

export interface StormTrack {
  kind: 'medicane' | 'low';
  /** From 1 for medicanes, in order of time; ordinary lows are `low-1`, ... */
  id: string;
  /** Hours since the first frame: first and last of its life. */
  start: number;
  end: number;
  /** Kilometres, one entry an hour from `start` on. */
  x: Float64Array;
  y: Float64Array;
  /** Largest pressure deficit, hPa. */
  depth: number;
  /** Radius of the steepest pressure gradient, km. */
  radius: number;
  /** Temperature of its highest cloud, K. */
  cloudTop: number;
  /** Direction its cloud pattern starts with, radians. */
  phase: number;
  /** Shares of its life that growth and decay take. */
  growth: number;
  decay: number;
}

export interface StormPoint {
  x: number;
  y: number;
  /** 0 to 1 of its largest strength. */
  intensity: number;
  /** Hours since it was born. */
  age: number;
}

/** Where a storm is at an hour and how strong; null outside its life. */
export function stormAt({ start, end, x, y, growth, decay }: StormTrack, hour: number): StormPoint | null {
  if (hour < start || hour > end) return null;
  const age = hour - start;
  const share = age / (end - start);
  const at = Math.min(Math.floor(age), x.length - 2);
  const f = age - at;
  const ramp = Math.min(1, share / growth, (1 - share) / decay);
  return {
    x: x[at] + f * (x[at + 1] - x[at]),
    y: y[at] + f * (y[at + 1] - y[at]),
    intensity: 0.25 + 0.75 * ramp * ramp * (3 - 2 * ramp),
    age,
  };
}

export type IsSea = (x: number, y: number) => boolean;

/** All storms of a season, by start. */
export function drawStorms(options: SeasonOptions, isSea: IsSea, random: Random): StormTrack[] {
  const medicanes = random
    .key('medicanes')
    .split(options.storms)
    .map((own, i) => medicane(own, i, options, isSea));
  const lows = random
    .key('lows')
    .split(Math.max(1, Math.round(options.hours / HOURS_PER_LOW)))
    .map((own, i) => low(own, i, options));
  return [...medicanes, ...lows].sort((a, b) => a.start - b.start);
}

const HOURS_PER_LOW = 40;
/** Lives of the medicane record: 20 to 119 h, median 47 h. */
const LIFE = { least: 20, most: 120, median: 47, spread: 0.5 };

function medicane(random: Random, i: number, { hours, storms }: SeasonOptions, isSea: IsSea): StormTrack {
  const share = hours / storms;
  const drawn = LIFE.median * Math.exp(LIFE.spread * random.normal());
  const room = Math.max(LIFE.least, share - (HOURS_PER_STORM - LIFE.least));
  const life = Math.min(Math.max(drawn, LIFE.least), LIFE.most, room);
  const free = share - life;
  // In a season shorter than a life the storm is born early and outlives it.
  const start = i * share + random.uniform() * (free > 0 ? free : share / 2);
  const path = seaPath(random.key('path'), Math.ceil(life) + 1, isSea);
  return {
    kind: 'medicane',
    id: String(i + 1),
    start,
    end: start + life,
    ...path,
    depth: 9 + 16 * random.uniform(),
    radius: 45 + 55 * random.uniform(),
    cloudTop: 212 + 16 * random.uniform(),
    phase: 2 * Math.PI * random.uniform(),
    growth: 0.2 + 0.2 * random.uniform(),
    decay: 0.15 + 0.2 * random.uniform(),
  };
}

/** Steered at 10 to 32 km/h; turns away from coasts, so the whole life is over sea. */
function seaPath(random: Random, points: number, isSea: IsSea): { x: Float64Array; y: Float64Array } {
  const [x, y] = [new Float64Array(points), new Float64Array(points)];
  [x[0], y[0]] = birthplace(random, isSea);
  const speed = 10 + 22 * random.uniform();
  let heading = 2 * Math.PI * random.uniform();
  for (let i = 1; i < points; i++) {
    heading += 0.12 * random.normal();
    const turns = [0, 0.35, -0.35, 0.7, -0.7, 1.05, -1.05, 1.6, -1.6, 2.2, -2.2, 3.1];
    const turn = turns.find((by) => {
      const [dx, dy] = [Math.cos(heading + by), Math.sin(heading + by)];
      return (
        isOpen(x[i - 1] + speed * dx, y[i - 1] + speed * dy, isSea) &&
        isSea(x[i - 1] + 70 * dx, y[i - 1] + 70 * dy)
      );
    });
    heading += turn ?? 0;
    const step = turn === undefined ? 0 : speed;
    x[i] = x[i - 1] + step * Math.cos(heading);
    y[i] = y[i - 1] + step * Math.sin(heading);
  }
  return { x, y };
}

/** Distances from coasts that are looked at, km, in eight directions. */
const OPEN_KM = [20, 40];

function isOpen(x: number, y: number, isSea: IsSea): boolean {
  if (!isSea(x, y)) return false;
  for (let side = 0; side < 8; side++) {
    const [east, north] = [Math.cos((side * Math.PI) / 4), Math.sin((side * Math.PI) / 4)];
    if (OPEN_KM.some((km) => !isSea(x + km * east, y + km * north))) return false;
  }
  return true;
}

function birthplace(random: Random, isSea: IsSea): [number, number] {
  let last: [number, number] = [EXTENT_KM.x / 2, EXTENT_KM.y / 2];
  for (let i = 0; i < 2000; i++) {
    last = [random.uniform() * EXTENT_KM.x, random.uniform() * EXTENT_KM.y];
    if (isOpen(...last, isSea)) break;
  }
  return last;
}

/** From the west, eastward at 25 to 55 km/h with some curvature, over land and sea alike. */
function low(random: Random, i: number, { hours }: SeasonOptions): StormTrack {
  const life = 36 + 60 * random.uniform();
  const points = Math.ceil(life) + 1;
  const [x, y] = [new Float64Array(points), new Float64Array(points)];
  x[0] = -400 + 0.7 * EXTENT_KM.x * random.uniform();
  y[0] = EXTENT_KM.y * (0.25 + 0.7 * random.uniform());
  const speed = 25 + 30 * random.uniform();
  const curve = 0.012 * random.normal();
  let heading = 0.5 * random.normal();
  for (let k = 1; k < points; k++) {
    heading += curve;
    x[k] = x[k - 1] + speed * Math.cos(heading);
    y[k] = y[k - 1] + speed * Math.sin(heading);
  }
  const start = -life + (hours + life) * random.uniform();
  return {
    kind: 'low',
    id: `low-${i + 1}`,
    start,
    end: start + life,
    x,
    y,
    depth: 5 + 17 * random.uniform(),
    radius: 220 + 260 * random.uniform(),
    cloudTop: 222 + 20 * random.uniform(),
    phase: 2 * Math.PI * random.uniform(),
    growth: 0.4,
    decay: 0.4,
  };
}
