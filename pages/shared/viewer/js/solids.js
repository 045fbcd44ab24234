// What the 3-D view shows: the brain's surface, and each map's largest clusters above its threshold.

import { blockGrid, filled, highest, toVoxel } from "./blocks.js";
import { clustersAbove } from "./clusters.js";
import { OUTLINE_RGB, colourOf } from "./colours.js";
import { Glass, MOST_OWNERS } from "./glass.js";
import { normalsOf, surfaceAround } from "./surface.js";
import { ZERO, once } from "./volume.js";

const BRAIN_BLOCKS = 64, MAP_BLOCKS = 128; // along the longest axis
const REST_MS = 200; // after the last frame

export class Solids {
  constructor(viewer) {
    this.viewer = viewer;
  }

  close() {
    clearTimeout(this.rest);
    this.glass?.close();
  }

  /** What draws; null where the browser has no WebGL. */
  renderer() {
    if (this.glass === null || (this.glass && !this.glass.isLost)) return this.glass;
    try {
      this.glass = new Glass();
    } catch {
      this.glass = null;
    }
    return this.glass;
  }

  /** Before panels are drawn: finely, unless the last frame was a moment ago; then again when the reader rests. */
  beginFrame() {
    const now = performance.now(), isMoving = now - this.drawnAt < REST_MS;
    this.drawnAt = now;
    this.finer = isMoving ? 1 : 2;
    clearTimeout(this.rest);
    if (isMoving) this.rest = setTimeout(() => this.viewer.redraw(), REST_MS);
  }

  brain() {
    const { viewer } = this, { scan, reconstruction, layers } = viewer.volumes;
    return once(scan.codes, "brain in 3-D", () => {
      const grid = blockGrid(viewer.box, BRAIN_BLOCKS), others = [...(reconstruction ? [reconstruction] : []), ...layers];
      const values = filled(grid, viewer.box, scan, others), cells = [];
      values.forEach((share, cell) => { if (share > 0.5) cells.push(cell); });
      return this.mesh(grid, surfaceAround(grid, values, 0.5, [{ cells }]));
    });
  }

  /** Of layer `at`, or of the truth for the scan: mesh, colours and peaks of those shown, and how many there are in all. */
  clusters(at) {
    const { viewer } = this, { shades, settings, volumes } = viewer;
    if (at < 0 ? !volumes.truth || !settings.outline : settings.hidden) return null;
    if (at < 0) return { ...this.found(volumes.truth, 0), colours: new Array(MOST_OWNERS).fill(OUTLINE_RGB) };
    const { volume, scale, colours, high } = shades.of(at), found = this.found(volume, shades.ownThreshold(at) / volume.step);
    const rgb = (packed) => [packed & 255, (packed >> 8) & 255, (packed >> 16) & 255].map((one) => one / 255);
    const shown = (voxel) => scale.table[Math.round(volume.at(voxel) / volume.step) + ZERO];
    return { ...found, colours: found.peaks.map((peak) => rgb(colourOf(colours, shown(peak), high, scale.signed))) };
  }

  found(volume, level) {
    const { box, shades } = this.viewer;
    return shades.table(`clusters of ${volume.name}`, [volume.digest, level], () => {
      const grid = blockGrid(box, MAP_BLOCKS), [, row, slice] = volume.strides;
      const { values, places } = once(volume.codes, `blocks ${JSON.stringify(box)}`, () => highest(grid, box, volume));
      const { count, largest } = clustersAbove(grid, values, level, MOST_OWNERS);
      const voxelOf = (place) => [place % row, Math.floor((place % slice) / row), Math.floor(place / slice)];
      const peaks = largest.map(({ peak }) => voxelOf(places[peak]));
      return { count, peaks, mesh: this.mesh(grid, surfaceAround(grid, values, level, largest)) };
    });
  }

  /** A surface of blocks in mm from the middle of the box, with normals. */
  mesh(grid, surface) {
    const [first, second] = [0, 1].map((block) => this.fromMiddle(toVoxel(grid, [block, block, block])));
    const points = surface.points.map((block, at) => first[at % 3] + block * (second[at % 3] - first[at % 3]));
    const placed = { ...surface, points };
    return { ...placed, normals: normalsOf(placed) };
  }

  /** mm to the right, anterior and superior of the middle of the box. */
  fromMiddle(voxel) {
    const { grid, stage } = this.viewer, middle = stage.middle();
    return [0, 1, 2].map((axis) => (voxel[axis] - middle[axis]) * grid.spacing[axis]);
  }
}
