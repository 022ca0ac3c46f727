/**
 * A command that another stormreel process started ends with it, also when that process is killed: `stormreel run`
 * would otherwise start a step again while the old one still writes. Every write is atomic, so leaving loses nothing.
 */
export function endWithParent(): void {
  if (!process.channel) return; // started by a shell
  process.on('disconnect', () => process.exit(1));
  process.channel.unref(); // the channel alone keeps no command alive
}
