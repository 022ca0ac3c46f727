/** Smooth noise in space and time: values hashed at lattice points, blended; every frame can be made on its own. */

/** About -1 to 1, correlation length one unit in each argument. */
export function valueNoise(east: number, north: number, t: number, seed: number): number {
  // Turned, so that the lattice does not run along rows and columns.
  const [x, y] = [0.8 * east + 0.6 * north, 0.8 * north - 0.6 * east];
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(t)];
  const [u, v, w] = [smooth(x - i), smooth(y - j), smooth(t - k)];
  const face = (at: number) => {
    const low = lattice(i, j, at, seed) * (1 - u) + lattice(i + 1, j, at, seed) * u;
    const high = lattice(i, j + 1, at, seed) * (1 - u) + lattice(i + 1, j + 1, at, seed) * u;
    return low * (1 - v) + high * v;
  };
  return face(k) * (1 - w) + face(k + 1) * w;
}

const smooth = (s: number): number => s * s * s * (s * (6 * s - 15) + 10);

/** Uniform on [-1, 1) at an integer point (mixing as in MurmurHash3's finaliser). */
function lattice(i: number, j: number, k: number, seed: number): number {
  let h = Math.imul(i, 0x27d4eb2d) ^ Math.imul(j, 0x165667b1) ^ Math.imul(k, 0x3ad8025f) ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1;
}
