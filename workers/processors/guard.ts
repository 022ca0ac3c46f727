/**
 * Imported first by every processor file. A child whose parent was killed would otherwise spin for ever: its own
 * error handler sends to a channel that is closed. Every write is atomic, so leaving at once loses nothing.
 */
process.on('disconnect', () => process.exit(0));
process.prependListener('uncaughtException', (error: NodeJS.ErrnoException) => {
  if (error?.code === 'ERR_IPC_CHANNEL_CLOSED' || error?.code === 'EPIPE') process.exit(0);
});
// Its parent may have gone while this file was still loading.
if (process.send && !process.connected) process.exit(0);
