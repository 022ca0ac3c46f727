/** Lines of equal value by marching squares. */

/** Of each case (bits: top left, top right, bottom right, bottom left above the level): pairs of edges to join. */
const JOINS = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 0],
    [1, 2],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [
    [0, 1],
    [2, 3],
  ],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

/**
 * Calls `segment(x1, y1, x2, y2)` for each piece of the line at `level`; cell centres lie at whole numbers. 255 is
 * nothing: no line passes beside it. `wraps`: the last column meets the first.
 */
export function contour({ bytes, width, height }, level, segment, wraps = false) {
  const columns = wraps ? width : width - 1;
  for (let r = 0; r < height - 1; r++)
    for (let c = 0; c < columns; c++) {
      const right = c + 1 === width ? 0 : c + 1;
      const a = bytes[r * width + c];
      const b = bytes[r * width + right];
      const d = bytes[(r + 1) * width + right];
      const e = bytes[(r + 1) * width + c];
      const kind = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (d > level ? 4 : 0) | (e > level ? 8 : 0);
      if (kind === 0 || kind === 15 || a === 255 || b === 255 || d === 255 || e === 255) continue;
      const edge = [
        () => [c + (level - a) / (b - a), r],
        () => [c + 1, r + (level - b) / (d - b)],
        () => [c + (level - e) / (d - e), r + 1],
        () => [c, r + (level - a) / (e - a)],
      ];
      for (const [from, to] of JOINS[kind]) segment(...edge[from](), ...edge[to]());
    }
}

/** Bytes averaged with their neighbours, so that lines through steps of one do not wriggle; floats, 255 kept. */
export function softened({ bytes, width, height }) {
  const soft = new Float32Array(bytes.length);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const at = r * width + c;
      if (bytes[at] === 255) {
        soft[at] = 255;
        continue;
      }
      let sum = 0;
      let weight = 0;
      for (let i = Math.max(0, r - 1); i <= Math.min(height - 1, r + 1); i++)
        for (let j = Math.max(0, c - 1); j <= Math.min(width - 1, c + 1); j++) {
          const value = bytes[i * width + j];
          if (value === 255) continue;
          const share = (i === r ? 2 : 1) * (j === c ? 2 : 1);
          sum += share * value;
          weight += share;
        }
      soft[at] = sum / weight;
    }
  return { bytes: soft, width, height };
}

/** Round steps, so that a range holds about `wanted` lines: values from `low` to `high`. */
export function roundLevels(low, high, wanted = 20) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 4, 5, 10].find((m) => m * power >= rough) ?? 10);
  const levels = [];
  for (let v = Math.ceil(low / step) * step; v < high; v += step) levels.push(v);
  return { step, levels };
}
