// The whole viewer: data and settings in, panels drawn; what the reader does comes here and goes to Python.

import { element } from "./dom.js";
import { follow } from "./following.js";
import { obliquity, spacing } from "./geometry.js";
import { listenToKeys } from "./keys.js";
import { Measures } from "./measures.js";
import { settingsOf } from "./settings.js";
import { Shades } from "./shades.js";
import { Solids } from "./solids.js";
import { Stage } from "./stage.js";
import { Toys } from "./toys.js";
import { turned } from "./turning.js";
import { Volume } from "./volume.js";

const FAILED = "The volumes could not be fetched from the server; it is asked again every few seconds.";

export class Viewer {
  constructor(root) {
    this.root = root;
    root.tabIndex = 0;
    root.setAttribute("role", "application");
    root.setAttribute("aria-label", "Viewer: wheel or PageUp and PageDown change the slice; ? lists mouse and keys");
    root.dataset.state = "loading";
    root.replaceChildren(element("p", { class: "loading" }, "Loading the volumes"));
    root.addEventListener("pointerenter", () => document.activeElement === document.body && root.focus({ preventScroll: true }));
    this.toys = new Toys(this);
    this.measures = new Measures(this);
    this.solids = new Solids(this);
    listenToKeys(this);
    this.stage = new Stage(this);
  }

  close() {
    this.stage.close();
    this.toys.close();
    this.solids.close();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.again);
    this.wanted = null; // what is on its way is no longer waited for
  }

  // Data from Python

  /** data: what viewer/__init__.py sends; python: the component's callbacks. */
  async update(data, python) {
    this.python = python;
    this.tellsDone = data.tellsDone;
    clearTimeout(this.again);
    const wanted = (this.wanted = JSON.stringify(data));
    if (wanted === this.shown) {
      if (this.root.dataset.state === "loading") this.redraw(); // other data was on its way meanwhile
      return;
    }
    this.root.dataset.state = "loading";
    const records = [data.scan, data.truth, data.reconstruction, ...data.layers, ...data.layers.map(({ base }) => base)];
    const volumes = await Promise.all(records.map((record) => Volume.load(record, data.shape))).catch(() => null);
    if (wanted !== this.wanted) return; // newer data came meanwhile
    if (volumes === null) {
      this.fail();
      this.again = setTimeout(() => this.update(data, python), 5000); // a page that is run again gives its volumes again
      return;
    }
    this.shown = wanted;
    const [scan, truth, reconstruction] = volumes, layers = volumes.slice(3, 3 + data.layers.length);
    layers.forEach((layer, at) => { layer.base = volumes[3 + layers.length + at]; }); // null: the scan lies under it
    this.take(data, { scan, truth, reconstruction, layers });
  }

  fail() {
    this.root.dataset.state = "failed";
    this.structure = this.shown = "";
    if (!this.root.querySelector(".error")) this.root.replaceChildren(element("p", { class: "error", role: "alert" }, FAILED));
    this.reportDone();
  }

  take(data, volumes) {
    const isFirst = !this.data;
    this.data = data;
    this.settings = settingsOf(data.key, data.linked);
    this.grid = {
      shape: data.shape, affine: data.affine, fileVoxels: data.fileVoxels,
      spacing: spacing(data.affine), obliquity: obliquity(data.affine),
    };
    this.see(volumes);
    const structure = JSON.stringify([data.scan, ...data.layers].map(({ name, unit, about, signed }) => [name, unit, about, signed]));
    if (structure === this.structure) this.stage.fit(true);
    else this.stage.build();
    this.structure = structure;
    this.toys.take();
    follow(this, data, isFirst);
    this.redraw();
  }

  /** Volumes to draw: those that Python sent, or with a slice of a toy that is dragged. */
  see(volumes) {
    const known = volumes.isWhole === false ? this.shades.tables : new Map();
    this.volumes = volumes;
    this.box = volumes.scan.box(this.data.shape);
    if (volumes.truth) volumes.truth.bounds = volumes.truth.box(this.data.shape);
    this.shades = new Shades(this.data, volumes, this.settings, known);
  }

  // Drawing

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.stage.room) return;
      this.stage.draw();
      if (this.shown !== this.wanted) return;
      this.root.dataset.state = "drawn";
      this.reportDone();
    });
  }

  /** What a panel draws: the scan (−1) or layer `at` over it. */
  sceneOf(at) {
    const { settings, volumes, grid, box, shades } = this;
    const base = settings.flicker && volumes.reconstruction ? volumes.reconstruction : volumes.layers[at]?.base ?? volumes.scan;
    return {
      grid, base, box, truth: volumes.truth, outline: settings.outline, opacity: settings.opacity, smooth: settings.smooth,
      name: at < 0 ? volumes.scan.name : volumes.layers[at].name,
      greys: shades.greys(base),
      map: at < 0 || settings.hidden ? null : shades.map(at),
      toys: this.toys.shown(), measures: this.measures.shown(),
    };
  }

  // What the reader does

  change(patch) {
    Object.assign(this.settings, patch);
    if (this.stage.isOutdated()) this.stage.fill();
    else this.redraw();
  }

  setCursor(voxel) {
    this.hovered = undefined;
    const cursor = voxel.map((at, axis) => Math.max(0, Math.min(this.grid.shape[axis] - 1, at)));
    this.change({ cursor });
  }

  step(axis, by) {
    const cursor = [...this.settings.cursor];
    cursor[axis] += by;
    this.setCursor(cursor);
  }

  hover(voxel) {
    const isInside = voxel?.every((at, axis) => at >= 0 && at < this.grid.shape[axis]);
    this.hovered = isInside ? voxel : undefined;
    this.stage.tell();
  }

  pointed() {
    return this.hovered ?? this.settings.cursor;
  }

  pan(plane, u, v) {
    const centre = [...(this.settings.centre ?? this.stage.middle())];
    centre[plane.across] += u;
    centre[plane.up] += v;
    this.change({ centre });
  }

  /** Zooms and keeps the point [u, v] of the plane where it is; the middle when there is none. */
  zoomAt(plane, point, factor) {
    const zoom = Math.max(0.5, Math.min(20, this.settings.zoom * factor)), kept = this.settings.zoom / zoom;
    const centre = [...(this.settings.centre ?? this.stage.middle())];
    if (point) [plane.across, plane.up].forEach((axis, at) => { centre[axis] = point[at] + (centre[axis] - point[at]) * kept; });
    this.change({ zoom, centre });
  }

  setWindow(level, width) {
    this.change({ window: { low: level - width / 2, high: level + width / 2 } });
  }

  /** Mouse travel as shares of the brightest intensity. */
  pullWindow(wider, higher) {
    const { low, high } = this.shades.window(), { brightest } = this.shades;
    this.setWindow((low + high) / 2 + higher * brightest, Math.max(brightest / 500, high - low + wider * brightest));
  }

  setThreshold(at, threshold) {
    const { group, high, scale } = this.shades.of(at), most = scale.isRarity ? Infinity : high;
    this.change({ thresholds: { ...this.settings.thresholds, [group]: Math.max(0, Math.min(most, threshold)) } });
  }

  stepThreshold(by) {
    const groups = new Set();
    this.volumes.layers.forEach((_, at) => {
      const { group, threshold, high } = this.shades.of(at);
      if (groups.has(group)) return;
      groups.add(group);
      this.setThreshold(at, threshold + (by * high) / 100);
    });
  }

  setHigh(at, high) {
    this.change({ high: { ...this.settings.high, [this.shades.of(at).range]: high } });
  }

  reset() {
    this.change({ zoom: 1, centre: null, window: null, turn: { yaw: 35, pitch: 20 } });
  }

  /** By degrees, in 3-D. */
  turn(right, down) {
    this.change({ turn: turned(this.settings.turn, right, down) });
  }

  // What Python hears

  report(isClick) {
    const voxel = this.settings.cursor;
    this.settings.reported = true;
    this.python.setStateValue("cursor", { voxel, after: this.settings.after });
    if (isClick) this.toys.plant(voxel);
  }

  /** Once, if asked for: the browser is free for the rest of the page. */
  reportDone() {
    if (!this.tellsDone || this.told) return;
    this.told = true;
    this.python.setStateValue("done", true);
  }

  /** Each map's threshold in its own unit. */
  reportThresholds() {
    const values = Object.fromEntries(this.volumes.layers.map(({ name }, at) => [name, this.shades.ownThreshold(at)]));
    this.python.setStateValue("thresholds", { values, after: this.settings.afterThresholds });
  }
}
