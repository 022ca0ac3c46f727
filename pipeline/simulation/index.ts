/** A simulated season: maps with storms whose truth is known, for tests, scale and teaching. Physics: docs/simulation.md. */
export { BOX, type SimulatedGrid, simulatedGrid } from './box.js';
export { landMask } from './land.js';
export { type SeasonOptions, SimulationConfig } from './options.js';
export { type Season, type SimulatedFrame, season } from './season.js';
export { type StormPoint, type StormTrack, stormAt } from './storms.js';
export { type SeasonFiles, writeSeason } from './write.js';
