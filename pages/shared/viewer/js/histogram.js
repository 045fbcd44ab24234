// Where the brain's intensities lie, and a window between two of them.

import { CODES, ZERO, quantile } from "./volume.js";

const LEAST = 1 / 256; // of the axis, between a window's ends

/** From zero, or what is darker, to the brightest; a few that are far brighter than all others are beyond it. */
export function intensityAxis(counts, step) {
  const at = (share) => quantile(counts, share) * step;
  const low = Math.min(0, at(0)), high = Math.min(at(1), 1.5 * at(0.99));
  return { low, high: high > low ? high : low + step };
}

/** How many voxels lie in each of `bins` equal parts of the axis; the last one's upper end is its own. */
export function histogramOf(counts, step, { low, high }, bins) {
  const found = new Array(bins).fill(0);
  for (let at = 0; at < CODES; at += 1) {
    const value = (at - ZERO) * step;
    if (counts[at] === 0 || value < low || value > high) continue;
    found[Math.min(bins - 1, Math.floor((bins * (value - low)) / (high - low)))] += counts[at];
  }
  return found;
}

/** The window with one end, "low" or "high", moved to a value of the axis; never past the other. */
export function withEnd(window, end, value, axis) {
  const gap = LEAST * (axis.high - axis.low), within = Math.max(axis.low, Math.min(axis.high, value));
  return { ...window, [end]: end === "low" ? Math.min(within, window.high - gap) : Math.max(within, window.low + gap) };
}
