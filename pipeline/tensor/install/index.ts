/** Installation of the native backend. */
export { type Installed, type InstallOptions, installNative } from './install.js';
export { cacheFolder, installedAddon, type Variant, variantFolder } from './location.js';
