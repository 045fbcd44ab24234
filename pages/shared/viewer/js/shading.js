// From codes to pixels through tables over all codes: a slice costs one look-up a pixel.

import { CLEAR, FALSE_ALARM, HIT, MISSED, colourOf, packed } from "./colours.js";
import { CODES, ZERO } from "./volume.js";

/** Greys of a scan: black at the window's low end, white at its high end. */
export function greyTable(volume, { low, high }) {
  const width = Math.max(high - low, 1e-9);
  return Uint32Array.from({ length: CODES }, (_, at) => {
    const grey = Math.max(0, Math.min(255, Math.round(255 * ((at - ZERO) * volume.step - low) / width)));
    return packed(grey, grey, grey);
  });
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

const rasters = new Map(); // "width × height" → a canvas as large as a slice; each picture is done before the next

function rasterOf(width, height, purpose) {
  const key = `${purpose} ${width} ${height}`;
  if (!rasters.has(key)) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    rasters.set(key, { canvas, context, image, pixels: new Uint32Array(image.data.buffer) });
  }
  return rasters.get(key);
}

/**
 * A slice as a canvas of one pixel a voxel, up at the top, mirrored as asked.
 * table: packed colours by code + ZERO; with a truth, `insideTable` where it is not 0.
 */
export function rasterize(purpose, volume, grid, plane, index, mirrored, table, truth, insideTable) {
  const width = grid.shape[plane.across], height = grid.shape[plane.up];
  const raster = rasterOf(width, height, purpose);
  const stepU = volume.strides[plane.across], stepV = volume.strides[plane.up];
  const start = index * volume.strides[plane.through];
  for (let y = 0, pixel = 0; y < height; y += 1) {
    let at = start + (height - 1 - y) * stepV + (mirrored ? (width - 1) * stepU : 0);
    const step = mirrored ? -stepU : stepU;
    for (let x = 0; x < width; x += 1, at += step, pixel += 1) {
      const chosen = truth && truth.codes[at] !== 0 ? insideTable : table;
      raster.pixels[pixel] = chosen[volume.codes[at] + ZERO];
    }
  }
  raster.context.putImageData(raster.image, 0, 0);
  return raster.canvas;
}
