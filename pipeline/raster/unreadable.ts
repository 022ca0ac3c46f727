/** Faults of the file system that no second attempt cures, as errors for the user; all others (EIO, EMFILE ...) as they are. */
import { ConfigError } from '../errors.js';

const FAULTS: Record<string, [found: string, hint: string]> = {
  ENOENT: ['it is not there', 'check the path; a link whose target is gone counts as missing'],
  ELOOP: ['its links run in a circle', 'give the file itself'],
  EACCES: ['permission denied', 'make it readable (chmod +r), or run as a user who may read it'],
  EPERM: ['permission denied', 'make it readable (chmod +r), or run as a user who may read it'],
  EISDIR: ['it is a folder', 'give a file'],
  ENAMETOOLONG: ['its name is too long', 'check the path'],
  ENOTDIR: ['a part of its path is not a folder', 'check the path'],
};

/** The error to throw for `cause`, which came from opening or listing `path`. */
export function unreadable(path: string, cause: NodeJS.ErrnoException): Error {
  const fault = FAULTS[cause.code ?? ''];
  if (!fault) return cause;
  const [found, hint] = fault;
  return new ConfigError(`cannot read ${path}: ${found}`, {
    hint,
    cause,
    fields: { path, code: cause.code },
  });
}
