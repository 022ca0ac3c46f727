/** Lines of a worker: text for a person, or one JSON object a line (pino) for whatever gathers logs. */
import { pino } from 'pino';
import type { JobNote } from './notes.js';

export interface WorkLog {
  line(text: string, fields?: Record<string, unknown>): void;
  job(note: JobNote): void;
}

/** JSON: time (ISO 8601), level, msg and the fields of the note. Written at once, so that nothing is lost at the end. */
export function jsonLog(write: (line: string) => void): WorkLog {
  const logger = pino(
    {
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => write(line.trimEnd()) },
  );
  return {
    line: (text, fields = {}) => logger.info(fields, text),
    job: ({ event, ...note }) => logger[levelOf(event)]({ event, ...note }, `${event} ${note.kind}`),
  };
}

export function textLog(write: (line: string) => void): WorkLog {
  return {
    line: (text) => write(text),
    job: (note) => {
      if (note.event !== 'started' && note.event !== 'put-off') write(textOf(note));
    },
  };
}

const levelOf = (event: JobNote['event']): 'debug' | 'info' | 'warn' | 'error' => {
  if (event === 'failed') return 'error';
  if (event === 'retried' || event === 'stalled' || event === 'handed-back') return 'warn';
  return 'info';
};

/** `completed slots, group 3 of /data/dataset: 64 frames in 412 ms` */
function textOf({ event, kind, group, dataset, frames, durationMs, attempt, tag, reason }: JobNote): string {
  const what = `${event} ${kind}${group === undefined ? '' : `, group ${group}`}${dataset ? ` of ${dataset}` : ''}`;
  const how = [
    frames === undefined ? '' : `${frames} frames`,
    durationMs === undefined ? '' : `in ${durationMs} ms`,
    attempt === undefined || attempt < 2 ? '' : `at attempt ${attempt}`,
    reason ? `${tag ? `${tag}: ` : ''}${reason}` : '',
  ].filter(Boolean);
  return how.length > 0 ? `${what}: ${how.join(' ')}` : what;
}
