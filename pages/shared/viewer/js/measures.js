// Rulers and regions that the reader drags, and what they measure, as a table under the panels. They stay in the browser.

import { element, toText } from "./dom.js";
import { PLANES } from "./geometry.js";
import { ellipseIn, lengthMm, pixelMm2, statistics, voxelsIn } from "./measure.js";

const LEAST_DRAG = 4; // px that a drag must travel
const COLUMNS = ["Measured", "Of", "Mean", "SD", "Min", "Max"];

export class Measures {
  constructor(viewer) {
    this.viewer = viewer;
    this.held = null; // what the pointer draws
    this.root = element("table", { class: "measures", "aria-label": "Measures", hidden: true });
  }

  /** All, with the one that is being drawn. */
  shown() {
    const { measures } = this.viewer.settings;
    return this.held ? [...measures, this.held] : measures;
  }

  // The pointer

  begin({ projection, index }, point) {
    const from = projection.toVoxels(...point), plane = Object.keys(PLANES).find((name) => PLANES[name] === projection.plane);
    this.start = point;
    this.held = { kind: this.viewer.settings.tool, plane, index, from, to: from };
  }

  pull({ projection }, point) {
    this.isLarge = Math.hypot(point[0] - this.start[0], point[1] - this.start[1]) >= LEAST_DRAG;
    this.held = { ...this.held, to: projection.toVoxels(...point) };
    this.viewer.redraw();
  }

  drop() {
    if (this.held && this.isLarge) this.viewer.settings.measures = this.shown();
    this.cancel();
  }

  cancel() {
    this.held = null;
    this.isLarge = false;
    this.viewer.redraw();
  }

  clear() {
    this.viewer.change({ measures: [] });
  }

  // The table

  draw() {
    const { volumes } = this.viewer, measures = this.shown(), drawn = [volumes, ...measures];
    if (this.drawn?.length === drawn.length && drawn.every((one, at) => one === this.drawn[at])) return;
    this.drawn = drawn;
    this.root.hidden = measures.length === 0;
    const head = element("tr", {}, ...COLUMNS.map((name) => element("th", { scope: "col" }, name)));
    this.root.replaceChildren(element("thead", {}, head), element("tbody", {}, ...measures.flatMap((one, at) => this.rows(one, at + 1))));
  }

  rows({ kind, plane: name, index, from, to }, number) {
    const { grid, volumes } = this.viewer, plane = PLANES[name];
    const title = (text) => `${number} ${kind === "ruler" ? "Ruler" : "Region"}, ${plane.name.toLowerCase()} ${index + 1}: ${text}`;
    const whole = (text) => [element("tr", {}, element("th", { scope: "row", colspan: COLUMNS.length }, title(text)))];
    if (kind === "ruler") return whole(`${lengthMm(plane, grid.affine, from, to).toFixed(1)} mm`);
    const voxels = voxelsIn(ellipseIn(from, to), plane, index, grid.shape), n = voxels.length;
    if (n === 0) return whole("no voxel's middle lies in it");
    const size = `${n} voxel${n === 1 ? "" : "s"}, ${(n * pixelMm2(plane, grid.affine)).toFixed(1)} mm²`;
    const layers = [volumes.scan, ...volumes.layers];
    return layers.map((layer, at) => {
      const { mean, sd, min, max } = statistics(voxels.map((voxel) => layer.at(voxel)));
      const told = [mean, sd, min, max].map((value) => element("td", {}, value === null ? "–" : toText(value)));
      const of = element("td", { class: "of" }, layer.unit ? `${layer.name}, ${layer.unit}` : layer.name);
      const first = at === 0 ? [element("th", { scope: "rowgroup", rowspan: layers.length }, title(size))] : [];
      return element("tr", {}, ...first, of, ...told);
    });
  }
}
