// One slice on a canvas: scan, map, truth outline, crosshair, ruler.

import { OUTLINE } from "./colours.js";
import { drawToys } from "./outlines.js";
import { drawMeasures } from "./measure_marks.js";
import { rasterize } from "./shading.js";

const CROSSHAIR = "rgba(110, 200, 255, 0.85)";
const HOLE = 9; // px left open around the crosshair's middle, so that it hides nothing
const EDGES = [ // a neighbour, and the ends of the edge towards it, in voxels from a voxel's middle
  [-1, 0, -0.5, -0.5, -0.5, 0.5], [1, 0, 0.5, -0.5, 0.5, 0.5], [0, -1, -0.5, -0.5, 0.5, -0.5], [0, 1, -0.5, 0.5, 0.5, 0.5],
];

/** Draws slice `index` of the projection's plane. scene: what `Viewer.sceneOf` made for this panel. */
export function drawPicture(context, projection, index, scene, marks) {
  const { frame, plane, mirrored } = projection;
  context.save();
  context.beginPath();
  context.rect(frame.x, frame.y, frame.width, frame.height);
  context.clip();
  context.fillStyle = "black";
  context.fillRect(frame.x, frame.y, frame.width, frame.height);
  context.imageSmoothingEnabled = scene.smooth;
  const place = placeOf(projection, scene.box);
  context.drawImage(rasterize(scene.base, scene.box, plane, index, mirrored, scene.greys), ...place);
  if (scene.map) {
    const { volume, outside, inside, fade } = scene.map;
    context.globalAlpha = scene.opacity;
    const truth = inside && scene.truth;
    context.drawImage(rasterize(volume, scene.box, plane, index, mirrored, outside, truth, inside, fade), ...place);
    context.globalAlpha = 1;
  }
  if (scene.outline && scene.truth) drawOutline(context, projection, index, scene);
  if (scene.toys) drawToys(context, projection, index, scene.toys, scene.grid.spacing);
  drawMeasures(context, projection, index, scene.measures, scene.grid.affine);
  if (marks.cursor) drawCrosshair(context, projection, marks.cursor);
  if (marks.ruler) drawRuler(context, projection);
  context.restore();
}

/** Where the voxels of the box lie on the screen: x, y, width, height. */
function placeOf(projection, { low, high }) {
  const { plane: { across, up }, mirrored, stepX, stepY } = projection;
  const [x, y] = projection.toScreen(mirrored ? high[across] + 0.5 : low[across] - 0.5, high[up] + 0.5);
  return [x, y, (high[across] - low[across] + 1) * stepX, (high[up] - low[up] + 1) * stepY];
}

function drawOutline(context, projection, index, { truth, grid }) {
  const { across, up, through } = projection.plane;
  const width = grid.shape[across], height = grid.shape[up];
  const inside = (u, v) => {
    if (u < 0 || v < 0 || u >= width || v >= height) return false;
    return truth.codes[index * truth.strides[through] + u * truth.strides[across] + v * truth.strides[up]] !== 0;
  };
  const { low, high } = truth.bounds;
  if (index < low[through] || index > high[through]) return;
  context.beginPath();
  for (let v = low[up]; v <= high[up]; v += 1) for (let u = low[across]; u <= high[across]; u += 1) {
    if (!inside(u, v)) continue;
    for (const [du, dv, u1, v1, u2, v2] of EDGES) {
      if (inside(u + du, v + dv)) continue;
      context.moveTo(...projection.toScreen(u + u1, v + v1));
      context.lineTo(...projection.toScreen(u + u2, v + v2));
    }
  }
  context.strokeStyle = OUTLINE;
  context.lineWidth = 1.5;
  context.stroke();
}

function drawCrosshair(context, projection, cursor) {
  const { frame, plane } = projection;
  const [x, y] = projection.toScreen(cursor[plane.across], cursor[plane.up]).map((at) => Math.round(at) + 0.5);
  context.beginPath();
  for (const [x1, y1, x2, y2] of [
    [frame.x, y, x - HOLE, y], [x + HOLE, y, frame.x + frame.width, y],
    [x, frame.y, x, y - HOLE], [x, y + HOLE, x, frame.y + frame.height],
  ]) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.strokeStyle = CROSSHAIR;
  context.lineWidth = 1;
  context.stroke();
}

function drawRuler(context, { frame, pixelsPerMm }) {
  const lengths = [100, 50, 20, 10, 5, 2, 1];
  const mm = lengths.find((length) => length * pixelsPerMm < 0.3 * (frame.fit ?? frame.width)) ?? 1;
  const right = frame.x + frame.width - 8, bottom = frame.y + frame.height - 8, left = right - mm * pixelsPerMm;
  context.strokeStyle = context.fillStyle = "rgba(220, 220, 220, 0.85)";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left, bottom - 4);
  context.lineTo(left, bottom);
  context.lineTo(right, bottom);
  context.lineTo(right, bottom - 4);
  context.stroke();
  context.font = "11px sans-serif";
  context.textAlign = "right";
  context.fillText(mm >= 10 ? `${mm / 10} cm` : `${mm} mm`, right, bottom - 6);
}
