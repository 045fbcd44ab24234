// A layer's voxels in the browser: fetched once for each content, decoded, counted.

export const CODES = 65536;
export const ZERO = 32768; // a table over all codes holds code c at c + ZERO
const KEPT = 16;
const fetched = new Map(); // digest → promise of Int16Array, the last KEPT

async function codesAt(address) {
  for (let tries = 0; tries < 3; tries += 1) {
    const answer = await fetch(address);
    if (answer.ok) {
      const stream = answer.body.pipeThrough(new DecompressionStream("gzip"));
      return new Int16Array(await new Response(stream).arrayBuffer());
    }
    await new Promise((later) => setTimeout(later, 500)); // between two runs of the page, an address is unknown for a moment
  }
  throw new Error(`no volume at ${address}`);
}

function codesOf({ digest, address }) {
  const known = fetched.get(digest) ?? codesAt(address);
  fetched.delete(digest);
  fetched.set(digest, known);
  known.catch(() => fetched.delete(digest));
  if (fetched.size > KEPT) fetched.delete(fetched.keys().next().value);
  return known;
}

const counted = new WeakMap(); // codes → what was found of them, by name

/** What `find` finds, once for the same codes and name. */
export function once(codes, name, find) {
  if (!counted.has(codes)) counted.set(codes, new Map());
  const known = counted.get(codes);
  if (!known.has(name)) known.set(name, find());
  return known.get(name);
}

/** value = code × step; i runs fastest. */
export class Volume {
  constructor(record, codes, shape) {
    Object.assign(this, record);
    this.codes = codes;
    this.strides = [1, shape[0], shape[0] * shape[1]];
  }

  static async load(record, shape) {
    return record && new Volume(record, await codesOf(record), shape);
  }

  /** The same with another axial slice. isCounted: what was counted stands, for a look in passing. */
  withSlice(index, slice, digest, isCounted) {
    const codes = this.codes.slice();
    codes.set(slice, index * this.strides[2]);
    if (isCounted && counted.has(this.codes)) counted.set(codes, counted.get(this.codes));
    return Object.assign(Object.create(Volume.prototype), this, { codes, digest });
  }

  at([i, j, k]) {
    return this.codes[i + j * this.strides[1] + k * this.strides[2]] * this.step;
  }

  /** How often each code occurs where `inside` is not 0, by code + ZERO. */
  countWhere(inside) {
    return once(this.codes, inside.digest, () => {
      const counts = new Uint32Array(CODES);
      for (let at = 0; at < this.codes.length; at += 1) if (inside.codes[at] !== 0) counts[this.codes[at] + ZERO] += 1;
      return counts;
    });
  }

  /** The smallest box of voxels that holds everything but zeros. */
  box(shape) {
    return once(this.codes, `box ${shape}`, () => this.findBox(shape));
  }

  findBox(shape) {
    const low = shape.map((length) => length), high = [-1, -1, -1];
    for (let k = 0, at = 0; k < shape[2]; k += 1) for (let j = 0; j < shape[1]; j += 1) for (let i = 0; i < shape[0]; i += 1, at += 1) {
      if (this.codes[at] === 0) continue;
      if (i < low[0]) low[0] = i;
      if (i > high[0]) high[0] = i;
      if (j < low[1]) low[1] = j;
      if (j > high[1]) high[1] = j;
      if (k < low[2]) low[2] = k;
      if (k > high[2]) high[2] = k;
    }
    return high[0] < 0 ? { low: [0, 0, 0], high: shape.map((length) => length - 1) } : { low, high };
  }
}

/** Counts by the size of a code, for values whose sign is a direction. */
export function withoutSign(counts) {
  const sizes = new Uint32Array(CODES);
  for (let at = 0; at < CODES; at += 1) sizes[Math.min(CODES - 1, ZERO + Math.abs(at - ZERO))] += counts[at];
  return sizes;
}

/** The smallest counted code that at least a share of the voxels does not exceed. */
export function quantile(counts, share) {
  let total = 0;
  for (const count of counts) total += count;
  let below = 0;
  for (let at = 0; at < CODES; at += 1) {
    below += counts[at];
    if (counts[at] > 0 && below >= share * total) return at - ZERO;
  }
  return 0;
}
