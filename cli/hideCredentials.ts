/**
 * Hides a command line that holds a password from whoever lists processes: the title takes its place. Until this
 * runs, in the first tenths of a second, the line can be seen; the environment never shows it.
 */
export function hideCredentials(argv: readonly string[]): void {
  if (argv.some((argument) => /rediss?:\/\/[^/@]*@/.test(argument))) process.title = `stormreel ${argv[0]}`;
}
