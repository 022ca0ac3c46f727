/** Figures that lead to the map: time axes, panels of many series, buttons; and the small maps. */
import { seriesOf } from './field.js';
import { chanceText, timeText } from './words.js';
import { frameAt } from './world.js';

/** `go(frame)` brings a frame up. Returns `mark(frame, series, time)`, which moves the cursors in all figures. */
export function linkFigures(pack, go) {
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  document.body.append(tip);
  const tell = (event, text) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 8);
    tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, event.clientY - 38)}px)`;
  };
  const marks = [...linkRows(pack, go, tell), ...linkPanels(pack, go, tell)];
  for (const button of document.querySelectorAll('[data-go]'))
    button.addEventListener('click', () => {
      go(Number(button.dataset.go));
      document.getElementById('player').scrollIntoView({ block: 'start' });
    });
  return {
    tell,
    mark: (series, time) => {
      for (const own of marks) own(series, time);
    },
  };
}

/** Words for a frame under the pointer. */
export function tipText(pack, frame) {
  if (frame < 0) return '';
  const p = pack.probability ? `, probability ${chanceText(pack.probability[frame])}` : '';
  const where = pack.series.length > 1 ? `, ${pack.series[seriesOf(pack, frame)].label}` : '';
  return `${timeText(pack, pack.time[frame])}${where}${p}`;
}

function onPoint(target, find, { pack, go, tell }) {
  target.addEventListener('pointermove', (event) => tell(event, tipText(pack, find(event))));
  target.addEventListener('pointerleave', (event) => tell(event, ''));
  target.addEventListener('click', (event) => {
    const frame = find(event);
    if (frame >= 0) go(frame);
  });
}

function linkRows(pack, go, tell) {
  return [...document.querySelectorAll('[data-time-row]')].map((row) => {
    const { series, from, to, left, right } = JSON.parse(row.dataset.timeRow);
    const svg = row.querySelector('svg');
    const cursor = row.querySelector('.cursor');
    onPoint(
      svg,
      (event) => {
        const box = svg.getBoundingClientRect();
        const share = ((event.clientX - box.left) / box.width - left) / (right - left);
        return nearest(pack, series, from + share * (to - from));
      },
      { pack, go, tell },
    );
    return (chosen, time) => {
      const x = svg.viewBox.baseVal.width * (left + ((time - from) / (to - from)) * (right - left));
      cursor.style.visibility = chosen === series ? 'visible' : 'hidden';
      for (const name of ['x1', 'x2']) cursor.setAttribute(name, x.toFixed(1));
    };
  });
}

function linkPanels(pack, go, tell) {
  return [...document.querySelectorAll('[data-matrix]')].map((svg) => {
    const { columns, times, left, top, height, full } = JSON.parse(svg.dataset.matrix);
    const cursor = svg.querySelector('.cell-cursor');
    const find = (event) => {
      const box = svg.getBoundingClientRect();
      const across = ((event.clientX - box.left) / box.width - left) / (1 - left);
      const down = (((event.clientY - box.top) / box.height) * full - top) / height;
      if (across < 0 || across >= 1 || down < 0 || down >= 1) return -1;
      return frameAt(
        pack,
        columns[Math.floor(across * columns.length)],
        times[Math.floor(down * times.length)],
      );
    };
    onPoint(svg, find, { pack, go, tell });
    return (series, time) => {
      const [column, row] = [columns.indexOf(series), times.indexOf(time)];
      cursor.style.visibility = column < 0 || row < 0 ? 'hidden' : 'visible';
      const width = svg.viewBox.baseVal.width;
      cursor.setAttribute('x', (width * (left + ((1 - left) * column) / columns.length)).toFixed(1));
      cursor.setAttribute('y', (top + (row * height) / times.length).toFixed(1));
    };
  });
}

/** Frame of a series nearest to a time. */
export function nearest({ first, time }, series, wanted) {
  let best = first[series];
  for (let f = first[series]; f < first[series + 1]; f++)
    if (Math.abs(time[f] - wanted) < Math.abs(time[best] - wanted)) best = f;
  return best;
}

/** Boxes that scroll sideways can be reached by keyboard; the others are no stop on the way. */
export function reachScrollers() {
  for (const box of document.querySelectorAll('.table')) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', 'Table, scrolls sideways');
    } else box.removeAttribute('tabindex');
  }
}
