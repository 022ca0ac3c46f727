/** The maps as bytes: as they are, or as departures from the mean of the maps in this file. */

/** Share of departures that the colours cover. */
const COVERED = 0.998;

export function fieldsOf(pack) {
  const { fields, palettes } = pack;
  const { width, height, bands, keys, bytes, layout } = fields;
  const size = width * height;
  const place = new Map(keys.map((key, i) => [key, i]));
  const map = (i, band) =>
    bytes.subarray((i * bands.length + band) * size, (i * bands.length + band + 1) * size);
  const groupOf = layout === 'frames' ? keys.map((frame) => seriesOf(pack, frame)) : keys.map(() => 0);
  const cache = new Map();
  const means = (band) => remembered(cache, band, () => meansOf(band, { map, groupOf, size }));
  const spread = (band) =>
    remembered(cache, `spread${band}`, () => spreadOf(band, { map, groupOf, means: means(band) }));

  /** The picture of a key (time of tiles, else frame); null where this file has none. */
  function picture(key, band, departure) {
    const i = place.get(key);
    if (i === undefined) return null;
    const own = map(i, band);
    return {
      bytes: departure ? departed(own, means(band).get(groupOf[i]), spread(band)) : own,
      width,
      height,
    };
  }
  /** What the colours mean. */
  function scale(band, departure) {
    const { name, unit, low, high } = bands[band];
    if (!departure) return { name, unit, low, high, colours: palettes.field };
    const most = (spread(band) * (high - low)) / 254;
    return { name: `${name}, departure`, unit, low: -most, high: most, colours: palettes.departure };
  }
  return { width, height, bands, keys, layout, picture, scale, has: (key) => place.has(key) };
}

export function seriesOf({ first }, frame) {
  let [low, high] = [0, first.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (first[middle] <= frame) low = middle;
    else high = middle;
  }
  return low;
}

function remembered(cache, key, make) {
  if (!cache.has(key)) cache.set(key, make());
  return cache.get(key);
}

/** Mean of each cell over the maps of a group; NaN where none was observed. */
function meansOf(band, { map, groupOf, size }) {
  const sums = new Map();
  groupOf.forEach((group, i) => {
    const { sum, n } = remembered(sums, group, () => ({
      sum: new Float64Array(size),
      n: new Uint32Array(size),
    }));
    const own = map(i, band);
    for (let at = 0; at < size; at++)
      if (own[at] !== 255) {
        sum[at] += own[at];
        n[at]++;
      }
  });
  return new Map([...sums].map(([group, { sum, n }]) => [group, sum.map((v, at) => v / n[at])]));
}

/** Bytes either side of zero that cover nearly all departures; at least 4. */
function spreadOf(band, { map, groupOf, means }) {
  const counts = new Uint32Array(256);
  let n = 0;
  const step = Math.max(1, Math.floor(groupOf.length / 60));
  for (let i = 0; i < groupOf.length; i += step) {
    const [own, mean] = [map(i, band), means.get(groupOf[i])];
    for (let at = 0; at < own.length; at++)
      if (own[at] !== 255) {
        counts[Math.min(255, Math.round(Math.abs(own[at] - mean[at])))]++;
        n++;
      }
  }
  let [most, seen] = [0, 0];
  while (most < 255 && (seen += counts[most]) < COVERED * n) most++;
  return Math.max(4, most);
}

function departed(own, mean, spread) {
  return Uint8Array.from(own, (v, at) =>
    v === 255 ? 255 : Math.min(254, Math.max(0, Math.round(127 + ((v - mean[at]) * 127) / spread))),
  );
}
