/** Models: frame encoder -> temporal head -> a logit for every frame. */
export { buildModel } from './build.js';
export { headWords } from './head.js';
export { inputBands } from './inputBands.js';
export {
  type Encoded,
  type HeadInputs,
  type MapGrid,
  type Model,
  type ModelShape,
  mapCell,
} from './model.js';
