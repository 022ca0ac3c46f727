/** All classes of bad files. */
import type { HostileClass } from './case.js';
import { fileClass } from './fileClasses.js';
import { netcdfClasses } from './netcdfClasses.js';
import { pictureClasses } from './pictureClasses.js';
import { tiffClasses } from './tiffClasses.js';

export const corpus = async (): Promise<HostileClass[]> => [
  fileClass(),
  ...tiffClasses(),
  ...(await pictureClasses()),
  ...(await netcdfClasses()),
];
