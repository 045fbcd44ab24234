// From codes to pixels through tables over all codes: a slice costs one look-up a pixel.

import { CLEAR, FALSE_ALARM, HIT, MISSED, colourOf, packed, withAlpha } from "./colours.js";
import { CODES, ZERO } from "./volume.js";

/** Greys of a scan: black at the window's low end, white at its high end. */
export function greyTable(volume, { low, high }) {
  const width = Math.max(high - low, 1e-9);
  const table = new Uint32Array(CODES);
  for (let at = 0; at < CODES; at += 1) {
    const grey = Math.max(0, Math.min(255, Math.round(255 * ((at - ZERO) * volume.step - low) / width)));
    table[at] = packed(grey, grey, grey);
  }
  return table;
}

/** Colours of a map above its threshold, clear below. */
export function mapTable(scale, colours, threshold, high) {
  const table = new Uint32Array(CODES);
  for (let at = 0; at < CODES; at += 1) {
    const value = scale.table[at];
    if ((scale.signed ? Math.abs(value) : value) > threshold) table[at] = colourOf(colours, value, high, scale.signed);
  }
  return table;
}

/** How opaque other maps are where this one has a code, 0 to 255: clear up to the rarity `from`, then rising to full at `top`. */
export function opacityTable(rarities, from, top) {
  return Uint8Array.from(rarities, (signed) => {
    const above = Math.abs(signed) - from;
    return above > 0 ? Math.min(255, Math.round((255 * above) / Math.max(top - from, 1e-9))) : 0;
  });
}

/** Two tables for a map against the truth: one where the truth is, one where it is not. */
export function agreementTables(scale, threshold) {
  const inside = new Uint32Array(CODES), outside = new Uint32Array(CODES);
  for (let at = 0; at < CODES; at += 1) {
    const above = (scale.signed ? Math.abs(scale.table[at]) : scale.table[at]) > threshold;
    inside[at] = above ? HIT : MISSED;
    outside[at] = above ? FALSE_ALARM : CLEAR;
  }
  return { inside, outside };
}

/** The share of the counted voxels that a map marks. */
export function shareAbove(scale, counts, threshold) {
  let above = 0, all = 0;
  for (let at = 0; at < CODES; at += 1) {
    all += counts[at];
    if ((scale.signed ? Math.abs(scale.table[at]) : scale.table[at]) > threshold) above += counts[at];
  }
  return all === 0 ? 0 : above / all;
}

const KEPT_RASTERS = 96;
const rasters = new Map(); // what was drawn last, by content: panels share the scan's slices, a still map is not redrawn

/**
 * A slice within `box` as a canvas of one pixel a voxel, up at the top, mirrored as asked.
 * table: packed colours by code + ZERO; with a truth, `insideTable` where it is not 0. fade: as `Shades.fade` has it, or none.
 */
export function rasterize(volume, box, plane, index, mirrored, table, truth, insideTable, fade = null) {
  const key = `${volume.digest} ${plane.name} ${index} ${mirrored}`;
  let raster = rasters.get(key);
  rasters.delete(key);
  if (!raster || raster.table !== table || raster.insideTable !== insideTable || raster.fade !== fade || raster.box !== box) {
    raster = blank(raster, box.high[plane.across] - box.low[plane.across] + 1, box.high[plane.up] - box.low[plane.up] + 1);
    fill(raster.pixels, volume, box, plane, index, mirrored, table, truth, insideTable, fade);
    raster.context.putImageData(raster.image, 0, 0);
    Object.assign(raster, { table, insideTable, fade, box });
  }
  rasters.set(key, raster);
  return raster.canvas;
}

/** A raster to fill: the given one, or the least recently used one when there are many, if its size fits. */
function blank(known, width, height) {
  let raster = known;
  if (!raster && rasters.size >= KEPT_RASTERS) {
    const [oldest, last] = rasters.entries().next().value;
    rasters.delete(oldest);
    raster = last;
  }
  if (raster?.image.width === width && raster.image.height === height) return raster;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  return { canvas, context, image, pixels: new Uint32Array(image.data.buffer) };
}

function fill(pixels, volume, { low, high }, plane, index, mirrored, table, truth, insideTable, fade) {
  const stepU = volume.strides[plane.across] * (mirrored ? -1 : 1), stepV = volume.strides[plane.up];
  const width = high[plane.across] - low[plane.across] + 1;
  const left = index * volume.strides[plane.through] + (mirrored ? high : low)[plane.across] * volume.strides[plane.across];
  let pixel = 0;
  for (let v = high[plane.up]; v >= low[plane.up]; v -= 1) {
    let at = left + v * stepV;
    for (let x = 0; x < width; x += 1, at += stepU, pixel += 1) {
      const chosen = truth && truth.codes[at] !== 0 ? insideTable : table;
      const colour = chosen[volume.codes[at] + ZERO];
      pixels[pixel] = fade ? withAlpha(colour, fade.alphas[fade.volume.codes[at] + ZERO]) : colour;
    }
  }
}
