/** The storms the model found, one a row. */
import { type EventRow, PARTS } from '../../../schemas/records/index.js';
import type { ReportData } from '../data.js';
import { chance, count, duration, instant, number, place } from '../format.js';
import { seriesLabel } from '../frames/payload.js';
import { type Html, html } from '../html.js';

const SHOWN = 25;

interface Listed extends EventRow {
  /** Frames of the event that are labelled storm; null without labels. */
  labelled: number | null;
  part: string;
  peakFrame: number;
}

export function eventsSection(data: ReportData): Html {
  if (!data.events) return html`<p class="missing">No events in this run.</p>`;
  if (data.events.length === 0) return html`<p>No frame was marked as a storm, so there are no events.</p>`;
  const rows = listed(data).sort(
    (a, b) =>
      Number(b.part === 'test') - Number(a.part === 'test') ||
      (b.peak_probability ?? 0) - (a.peak_probability ?? 0),
  );
  const [first, rest] = [rows.slice(0, SHOWN), rows.slice(SHOWN)];
  const parts = PARTS.map((p) => [p, rows.filter((r) => r.part === p).length] as const).filter(
    ([, n]) => n > 0,
  );
  return html`<p class="sub">${count(rows.length)} events${parts.length > 1 ? ` (${parts.map(([p, n]) => `${n} ${p === 'none' ? 'in no part' : p}`).join(', ')})` : ''}; test part first, surest first. Events of the training part show how well the model remembers, not how well it sees.</p>
${table(data, first)}${rest.length > 0 && html`<details><summary>The other ${count(rest.length)} events</summary>${table(data, rest)}</details>`}`;
}

function table(data: ReportData, rows: readonly Listed[]): Html {
  const kind = data.store?.description.time ?? 'utc';
  const many = data.index && data.index.seriesNames.length > 1;
  const when = (t: number) => instant(t, kind).replace(' UTC', '');
  return html`<div class="table"><table class="one-line"><thead><tr><th class="n">No.</th>${many && html`<th>Series</th>`}<th>First frame (UTC)</th><th>Last frame (UTC)</th><th class="n">Lasts</th><th class="n">Frames</th><th class="n">Peak prob.</th><th class="n">Mean prob.</th><th>Where the model looked</th><th>Labelled</th><th>Part</th><th class="needs-script">Map</th></tr></thead><tbody>
${rows.map((e) => html`<tr><td class="n">${e.event_id}</td>${many && html`<td>${seriesLabel(data, e.series)}</td>`}<td>${when(e.start)}</td><td>${when(e.end)}</td><td class="n">${kind === 'utc' ? duration(e.end - e.start) : ''}</td><td class="n">${e.frames}</td><td class="n">${chance(e.peak_probability)}</td><td class="n">${number(e.mean_probability)}</td><td>${e.lat === null || e.lon === null ? 'n/a' : place(e.lat, e.lon)}</td><td>${agreement(e)}</td><td>${e.part}</td><td class="needs-script">${e.peakFrame >= 0 && html`<button type="button" class="link" data-go="${e.peakFrame}" aria-label="${`Show event ${e.event_id} on the map`}">show</button>`}</td></tr>`)}
</tbody></table></div>`;
}

function agreement({ labelled, frames }: Listed): Html | string {
  if (labelled === null) return 'unknown';
  if (labelled === 0) return html`<span class="verdict-miss">false event</span>`;
  return html`<span class="verdict-hit">${labelled} of ${frames}</span>`;
}

function listed({ events, index, labels, predictions, split }: ReportData): Listed[] {
  const members = new Map<number, number[]>();
  for (let f = 0; f < (index?.length ?? 0); f++) {
    const e = predictions?.event[f] ?? 0;
    if (e > 0) members.set(e, [...(members.get(e) ?? []), f]);
  }
  return events!.map((event) => {
    const own = members.get(event.event_id) ?? [];
    return {
      ...event,
      labelled: labels && own.length ? own.filter((f) => labels.label[f] === 1).length : null,
      part: split && own.length ? PARTS[split.part[own[0]]] : '',
      peakFrame: own.find((f) => index!.time[f] === event.peak_time) ?? own[0] ?? -1,
    };
  });
}
