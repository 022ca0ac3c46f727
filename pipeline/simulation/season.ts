/**
 * A season frame by frame: any frame can be made on its own, one at a time is held.
 *
 *   const it = season({ frames: 240, size: 128, seed: 7 });
 *   for (let i = 0; i < it.options.frames; i++) use(it.frame(i));    // null: lost in a gap
 */
import { Random } from '../random.js';
import { EXTENT_KM, placeOf, type SimulatedGrid, simulatedGrid } from './box.js';
import { landMask } from './land.js';
import { type SeasonOptions, type SimulationConfig, seasonOptions } from './options.js';
import { type Scene, scene, type World } from './scene.js';
import { lostFrames, sense } from './sensor.js';
import { drawStorms, type IsSea, type StormTrack, stormAt } from './storms.js';
import { drawWaves } from './waves.js';

export interface SimulatedFrame {
  /** Milliseconds since 1970, UTC. */
  time: number;
  /** `[height, width, band]`, int16 as STORED says. */
  values: Int16Array;
  truth: Truth;
  /** Lines that the scanner lost. */
  lostLines: number;
}

/** Label 1 while a medicane lives; then with its id and centre. */
export interface Truth {
  label: 0 | 1;
  event: string | null;
  lat: number | null;
  lon: number | null;
}

export interface Season {
  readonly options: SeasonOptions;
  readonly grid: SimulatedGrid;
  readonly land: Uint8Array;
  readonly storms: readonly StormTrack[];
  frame(i: number): SimulatedFrame | null;
}

export function season(config: SimulationConfig = {}): Season {
  const options = seasonOptions(config);
  const random = Random.from(options.seed).key('season');
  const grid = simulatedGrid(options.size);
  const land = landMask(grid);
  const storms = drawStorms(options, openSea(), random.key('storms'));
  const lost = lostFrames(options.frames, options.gaps, random.key('gaps'));
  const start = new Date(options.start);
  const world: World = {
    grid,
    land,
    waves: drawWaves(random.key('waves')),
    storms,
    seed: options.seed,
    hourOfDay: start.getUTCHours() + start.getUTCMinutes() / 60,
  };
  const cells = grid.width * grid.height;
  const buffers: Scene = { brightness: new Float64Array(cells), pressure: new Float64Array(cells) };
  return {
    options,
    grid,
    land,
    storms,
    frame(i) {
      if (lost[i]) return null;
      const hour = (i * options.stepMs) / 3_600_000;
      scene(world, hour, buffers);
      const sensed = sense(buffers, { ...grid, defects: options.defects }, random.key('sensor').key(i));
      return { time: options.start + i * options.stepMs, truth: truthAt(storms, hour), ...sensed };
    },
  };
}

function truthAt(storms: readonly StormTrack[], hour: number): Truth {
  for (const storm of storms) {
    const at = storm.kind === 'medicane' ? stormAt(storm, hour) : null;
    if (at) return { label: 1, event: storm.id, ...placeOf(at.x, at.y) };
  }
  return { label: 0, event: null, lat: null, lon: null };
}

/** Sea by kilometres, on a mask of its own, so that tracks do not depend on the size of the maps. */
function openSea(): IsSea {
  const size = 256;
  const mask = landMask(simulatedGrid(size));
  return (x, y) => {
    const column = Math.floor((x / EXTENT_KM.x) * size);
    const row = Math.floor((1 - y / EXTENT_KM.y) * size);
    return column >= 0 && row >= 0 && column < size && row < size && mask[row * size + column] === 0;
  };
}
