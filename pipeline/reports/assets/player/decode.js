/** From the packed payload to arrays: the mirror of frames/payload.ts and frames/quantise.ts. */

/** Bytes of base64 text. */
export function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** A typed array of base64 text, or null. */
export const arrayOf = (text, Type) => (text === null ? null : new Type(bytesOf(text).buffer));

/** Bytes of deflated base64 text. */
export async function inflate(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes `packBytes`: rows of `width` bytes, each but the first of a row stored as the difference to its left neighbour. */
export async function unpackBytes(text, width) {
  const bytes = await inflate(text);
  for (let i = 0; i < bytes.length; i++) if (i % width) bytes[i] += bytes[i - 1];
  return bytes;
}

/** Undoes `packCoast`: lines of [lon, lat, lon, lat, ...] in degrees. */
export async function unpackCoast(text) {
  const numbers = new Int16Array((await inflate(text)).buffer);
  const lines = [];
  let line = [];
  for (let i = 0; i < numbers.length; i += 2) {
    if (numbers[i] === 32767) {
      lines.push(line);
      line = [];
    } else line.push(numbers[i] / 100, numbers[i + 1] / 100);
  }
  return lines;
}

/** The whole payload with its arrays unpacked. */
export async function decodePayload(pack) {
  const grids = async (own) => own && { ...own, bytes: await unpackBytes(own.data, own.width) };
  const colours = ([name, text]) => [name, bytesOf(text)];
  return {
    ...pack,
    probability: arrayOf(pack.probability, Float32Array),
    predicted: arrayOf(pack.predicted, Int8Array),
    label: arrayOf(pack.label, Int8Array),
    ignore: arrayOf(pack.ignore, Uint8Array),
    part: arrayOf(pack.part, Uint8Array),
    score: arrayOf(pack.score, Float32Array),
    p: arrayOf(pack.p, Float32Array),
    event: new Map(pack.event),
    bad: new Map(pack.bad),
    centre: new Map(pack.centre.map(([frame, lat, lon]) => [frame, [lat, lon]])),
    fields: await grids(pack.fields),
    attention: await grids(pack.attention),
    rows: pack.rows && {
      height: pack.rows.height,
      lat: arrayOf(pack.rows.lat, Float32Array),
      degrees: arrayOf(pack.rows.degrees, Float32Array),
    },
    coast: pack.coast ? await unpackCoast(pack.coast) : [],
    palettes: Object.fromEntries(Object.entries(pack.palettes).map(colours)),
  };
}
