/** A reader that has seen enough (`stormreel ... | head`) ends the command; one of messages alone does not. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  process.stderr.on('error', () => {});
}
