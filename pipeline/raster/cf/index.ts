/** The CF conventions over any file of named variables: which of them are maps, on which grid, at which times. */
export { type CfHeader, decodeFields, describeFields, type FieldOptions, fieldNames } from './fields.js';
export { cfTime } from './times.js';
export type { Attribute, Variable, VariableFile } from './variables.js';
