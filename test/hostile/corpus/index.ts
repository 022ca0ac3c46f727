/** All classes of bad files. */

import { arrayClasses } from './arrayClasses.js';
import type { HostileClass } from './case.js';
import { codecClasses } from './codecClasses.js';
import { fileClass } from './fileClasses.js';
import { netcdfClasses } from './netcdfClasses.js';
import { pictureClasses } from './pictureClasses.js';
import { tiffClasses } from './tiffClasses.js';
import { zarrClasses } from './zarrClasses.js';

export const corpus = async (): Promise<HostileClass[]> => [
  fileClass(),
  ...tiffClasses(),
  ...(await codecClasses()),
  ...(await pictureClasses()),
  ...(await netcdfClasses()),
  ...zarrClasses(),
  ...arrayClasses(),
];
