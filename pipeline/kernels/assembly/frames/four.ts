// Weighted means of four cells, two columns at a time. Sums run in the order of `weighAny` of pipeline/raster, in f64.

/** A target with less weight has no value: just under a half. */
const LEAST: f64 = 0.5 * (1 - 1e-9);

/** Numbers `a` and `b` after `at`, in f64. */
function two<T>(at: usize, a: u32, b: u32): v128 {
  return f64x2.replace_lane(
    f64x2.splat(<f64>load<T>(at + ((<usize>a) << alignof<T>()))),
    1,
    <f64>load<T>(at + ((<usize>b) << alignof<T>())),
  );
}

/**
 * One target row. `above` and `below`: the source rows; `wAbove`, `wBelow` their weights. `table`: for each of `n`
 * columns (rounded up to even, f64 first) weight left, weight right, then cell left, cell right as u32, each a column of its
 * own. Writes f32 from `out`, `step` bytes apart; returns how many have too little weight, and writes 0 bytes for them
 * into `valid`.
 */
function row<T>(
  above: usize,
  below: usize,
  wAbove: f64,
  wBelow: f64,
  table: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  const even: usize = (n + 1) & ~1;
  const wRights = table + 8 * even;
  const lefts = wRights + 8 * even;
  const rights = lefts + 4 * even;
  const high = f64x2.splat(wAbove);
  const low = f64x2.splat(wBelow);
  const least = f64x2.splat(LEAST);
  let missing = 0;
  for (let i = 0; i < n; i += 2) {
    const wLeft = v128.load(table + 8 * i);
    const wRight = v128.load(wRights + 8 * i);
    const l0 = load<u32>(lefts + 4 * i);
    const l1 = load<u32>(lefts + 4 * i, 4);
    const r0 = load<u32>(rights + 4 * i);
    const r1 = load<u32>(rights + 4 * i, 4);
    const w1 = f64x2.mul(high, wLeft);
    const w2 = f64x2.mul(high, wRight);
    const w3 = f64x2.mul(low, wLeft);
    const w4 = f64x2.mul(low, wRight);
    const weight = f64x2.add(f64x2.add(f64x2.add(w1, w2), w3), w4);
    let sum = f64x2.add(f64x2.splat(0), f64x2.mul(w1, two<T>(above, l0, l1)));
    sum = f64x2.add(sum, f64x2.mul(w2, two<T>(above, r0, r1)));
    sum = f64x2.add(sum, f64x2.mul(w3, two<T>(below, l0, l1)));
    sum = f64x2.add(sum, f64x2.mul(w4, two<T>(below, r0, r1)));
    const mean = f64x2.div(sum, weight);
    const enough = f64x2.ge(weight, least);
    if (i64x2.all_true(enough) && i + 1 < n) {
      store<f32>(out, <f32>f64x2.extract_lane(mean, 0));
      store<f32>(out + step, <f32>f64x2.extract_lane(mean, 1));
    } else {
      missing += one(out, valid + i, f64x2.extract_lane(weight, 0), f64x2.extract_lane(mean, 0));
      if (i + 1 < n)
        missing += one(out + step, valid + i + 1, f64x2.extract_lane(weight, 1), f64x2.extract_lane(mean, 1));
    }
    out += 2 * step;
  }
  return missing;
}

function one(out: usize, valid: usize, weight: f64, mean: f64): i32 {
  if (weight >= LEAST) {
    store<f32>(out, <f32>mean);
    return 0;
  }
  store<u8>(valid, 0);
  return 1;
}

/**
 * Target rows 0 .. `rows` of one band. `plane`: source rows of `width` numbers; `high`: for each target row weight above,
 * weight below (f64), then byte offsets of both in `plane` (u32), in columns of `rows` each; `wide`: the table of `row`.
 */
function four<T>(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  const wBelows = high + 8 * rows;
  const aboves = wBelows + 8 * rows;
  const belows = aboves + 4 * rows;
  let missing = 0;
  for (let i = 0; i < rows; i++, out += n * step, valid += n)
    missing += row<T>(
      plane + load<u32>(aboves + 4 * i),
      plane + load<u32>(belows + 4 * i),
      load<f64>(high + 8 * i),
      load<f64>(wBelows + 8 * i),
      wide,
      n,
      out,
      step,
      valid,
    );
  return missing;
}

export function fourU8(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<u8>(plane, high, rows, wide, n, out, step, valid);
}
export function fourU16(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<u16>(plane, high, rows, wide, n, out, step, valid);
}
export function fourI16(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<i16>(plane, high, rows, wide, n, out, step, valid);
}
export function fourF32(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<f32>(plane, high, rows, wide, n, out, step, valid);
}
export function fourU32(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<u32>(plane, high, rows, wide, n, out, step, valid);
}
export function fourI32(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<i32>(plane, high, rows, wide, n, out, step, valid);
}
export function fourF64(
  plane: usize,
  high: usize,
  rows: i32,
  wide: usize,
  n: i32,
  out: usize,
  step: i32,
  valid: usize,
): i32 {
  return four<f64>(plane, high, rows, wide, n, out, step, valid);
}
