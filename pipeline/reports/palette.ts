/** Colours that colour-blind readers can tell apart; every ramp changes steadily in lightness. */

export type Rgb = readonly [number, number, number];

const hex = (list: string): Rgb[] =>
  list.split(' ').map((h) => [0, 2, 4].map((i) => Number.parseInt(h.slice(i, i + 2), 16)) as unknown as Rgb);

/** Fields: dark is low. After seaborn's mako, which runs evenly in lightness from night blue to pale mint. */
export const FIELD = hex('0f0b1c 231b38 35305d 3f4788 38608f 357ba2 359aac 49b8ad 86d3b2 c3e8cf e9f7ee');
/** Departures from a mean: blue below, white at zero, brown above. */
export const DEPARTURE = hex('143c66 2b6ca3 66a1cb b3d1e6 f4f4f2 ecc9a0 cf8f4c a05a1c 5e2f08');
/** Probability of a storm: paper to deep red, steadily darker. */
export const PROBABILITY = hex('f1f0ec fbe3c0 f8bf7f ef9149 d85f2a ab3516 6b1a10');
/** Anomaly scores: paper to deep purple. */
export const ANOMALY = hex('f1f0ec dfdcec c2bddf a096cc 7d6bb4 5d4397 3a1e6b');

/** Parts of a split; also told apart by their pattern and their names. */
export const PART_COLOURS = ['#3f7cac', '#e0a93b', '#c2410c', '#9aa3ad', '#d8dce0'] as const;
/** Ensemble members and curves. */
export const LINES = ['#2f6690', '#c2410c', '#2a8c7a', '#7d6bb4', '#b58b00', '#5b6770'] as const;

/** The colour at `share` in [0, 1] of a ramp. */
export function colourAt(ramp: readonly Rgb[], share: number): Rgb {
  const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  const part = at - low;
  return [0, 1, 2].map((c) =>
    Math.round(ramp[low][c] + part * (ramp[low + 1][c] - ramp[low][c])),
  ) as unknown as Rgb;
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r},${g},${b})`;

/** 256 RGB triples, for pixels. */
export function table(ramp: readonly Rgb[]): Uint8Array {
  const colours = new Uint8Array(768);
  for (let i = 0; i < 256; i++) colours.set(colourAt(ramp, i / 255), i * 3);
  return colours;
}

/** CSS gradient from the left to the right end of a ramp. */
export const gradient = (ramp: readonly Rgb[]): string =>
  `linear-gradient(90deg, ${ramp.map((c, i) => `${css(c)} ${Math.round((100 * i) / (ramp.length - 1))}%`).join(', ')})`;
