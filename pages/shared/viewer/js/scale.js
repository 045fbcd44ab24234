// What a map shows: its own values, or their rarity among healthy voxels. Both as a table over all codes.

import { CODES, ZERO, quantile, withoutSign } from "./volume.js";

/** One map's shown values: `table[code + ZERO]`, the unit they are in, and the way back to the map's own values. */
export class Scale {
  constructor(volume, kind, top) {
    this.isRarity = kind === "rarity" && volume.rarity.length > 1;
    this.unit = this.isRarity ? "rarity" : volume.unit;
    this.signed = volume.signed;
    this.top = top;
    this.table = this.isRarity ? rarityTable(volume, top) : valueTable(volume);
  }

  /** A first upper end of the colours: the rarest, or what 0.1 % of the brain exceeds. */
  firstHigh(volume, counts) {
    if (this.isRarity) return this.top;
    return Number((this.quantile(volume, counts, 0.999)).toPrecision(3));
  }

  /** The value that all but a share of the brain's voxels do not exceed. */
  quantile(volume, counts, share) {
    return Math.max(1, quantile(this.signed ? withoutSign(counts) : counts, share)) * volume.step;
  }
}

function valueTable(volume) {
  const table = new Float32Array(CODES);
  for (let at = 0; at < CODES; at += 1) table[at] = (at - ZERO) * volume.step;
  return table;
}

function rarityTable(volume, top) {
  const levels = volume.rarity, gap = top / (levels.length - 1);
  const table = new Float32Array(CODES);
  let passed = 0; // levels at or below the value
  for (let code = 0; code < ZERO; code += 1) {
    const value = code * volume.step;
    while (passed < levels.length && levels[passed] <= value) passed += 1;
    table[code + ZERO] = rarityBetween(levels, passed, value, gap);
    if (volume.signed) table[ZERO - code] = -table[code + ZERO];
  }
  return table;
}

/** Beyond the last level it rises with the value's tenfolds, so that a threshold can lie there; no share is known of it. */
function rarityBetween(levels, passed, value, gap) {
  const last = levels.at(-1);
  if (passed === 0) return 0;
  if (passed === levels.length) return gap * (passed - 1) + (last > 0 ? Math.log10(value / last) : 0);
  return gap * (passed - 1 + (value - levels[passed - 1]) / (levels[passed] - levels[passed - 1]));
}

/** The own value at a rarity of 0 or more. */
export function valueAtRarity(levels, rarity, top) {
  if (rarity > top) return levels.at(-1) * 10 ** (rarity - top);
  const place = Math.min(Math.max(rarity / top, 0), 1) * (levels.length - 1);
  const low = Math.min(Math.floor(place), levels.length - 2);
  return levels[low] + (place - low) * (levels[low + 1] - levels[low]);
}

/** The rarity of an own value. */
export function rarityOfValue(levels, value, top) {
  const above = levels.findIndex((level) => level > value);
  const passed = above < 0 ? levels.length : above;
  return rarityBetween(levels, passed, value, top / (levels.length - 1));
}
