/** Labels: read from CSV or class folders, joined to frames by time, kept beside the dataset. */
export { centreCells, isGeographic } from './centre.js';
export { folderLabels } from './folder.js';
export { formatInstant, type InstantFault, parseInstant } from './instant.js';
export { joinLabels } from './join.js';
export { type LabelRow, readLabels } from './read.js';
export { loadLabels, saveLabels } from './stored.js';
export type { LabelTable } from './table.js';
