// The whole viewer: data and settings in, panels drawn; what the reader does comes here and goes to Python.

import { divergingRamp, ramp } from "./colours.js";
import { Controls } from "./controls.js";
import { element } from "./dom.js";
import { obliquity, spacing } from "./geometry.js";
import { listenToKeys } from "./keys.js";
import { CHROME, Panel } from "./panel.js";
import { Readout } from "./readout.js";
import { Scale, rarityOfValue, valueAtRarity } from "./scale.js";
import { groupOf, settingsOf } from "./settings.js";
import { agreementTables, greyTable, mapTable, shareAbove } from "./shading.js";
import { Volume, quantile } from "./volume.js";

const HEADER = 68, GAP = 6, SMALLEST = 150; // px: the page's own header, between panels, a panel's least height

export class Viewer {
  constructor(root) {
    this.root = root;
    root.tabIndex = 0;
    root.setAttribute("role", "application");
    root.setAttribute("aria-label", "Viewer: wheel or PageUp and PageDown change the slice; ? lists mouse and keys");
    root.dataset.state = "loading";
    root.replaceChildren(element("p", { class: "loading" }, "Loading the volumes"));
    root.addEventListener("pointerenter", () => document.activeElement === document.body && root.focus({ preventScroll: true }));
    listenToKeys(this);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(root);
    this.onResize = () => this.fit();
    window.addEventListener("resize", this.onResize);
  }

  close() {
    this.observer.disconnect();
    window.removeEventListener("resize", this.onResize);
    cancelAnimationFrame(this.frame);
  }

  // Data from Python

  /** data: what viewer/__init__.py sends; python: the component's callbacks. */
  async update(data, python) {
    this.python = python;
    const wanted = (this.wanted = JSON.stringify(data));
    if (wanted === this.shown) return;
    this.root.dataset.state = "loading";
    try {
      const load = (record) => Volume.load(record, data.shape);
      const [scan, truth, reconstruction, ...layers] = await Promise.all([data.scan, data.truth, data.reconstruction, ...data.layers].map(load));
      if (wanted !== this.wanted) return; // newer data came meanwhile
      this.shown = wanted;
      this.take(data, { scan, truth, reconstruction, layers });
    } catch (error) {
      this.root.dataset.state = "failed";
      this.root.replaceChildren(element("p", { class: "error", role: "alert" }, error.message));
    }
  }

  take(data, volumes) {
    const isFirst = !this.data;
    this.data = data;
    this.volumes = volumes;
    this.settings = settingsOf(data.key);
    this.grid = {
      shape: data.shape, affine: data.affine, fileVoxels: data.fileVoxels,
      spacing: spacing(data.affine), obliquity: obliquity(data.affine),
    };
    this.box = volumes.scan.box(data.shape);
    if (volumes.truth) volumes.truth.bounds = volumes.truth.box(data.shape);
    this.brain = volumes.scan.countWhere(volumes.scan);
    this.intensities = [0, 1].map((share) => quantile(this.brain, share) * volumes.scan.step);
    this.counts = volumes.layers.map((layer) => layer.countWhere(volumes.scan));
    this.ramps = Object.fromEntries(Object.entries(data.colours).map(([name, stops]) => [name, ramp(stops)]));
    this.tables = new Map();
    this.follow(data, isFirst);
    this.build();
  }

  /** Crosshair and thresholds go where Python newly put them; a viewer that comes back tells Python where they were left. */
  follow(data, isFirst) {
    if (this.settings.scan !== data.scan.digest) {
      Object.assign(this.settings, { scan: data.scan.digest, zoom: 1, centre: null, window: null });
    }
    if (this.settings.after !== data.after) Object.assign(this.settings, { after: data.after, cursor: data.cursor });
    else if (isFirst && this.settings.reported) this.report(false);
    if (this.settings.afterThresholds !== data.afterThresholds) {
      this.settings.afterThresholds = data.afterThresholds;
      this.volumes.layers.forEach((layer, at) => layer.name in data.thresholds && this.moveThreshold(at, data.thresholds[layer.name]));
    } else if (isFirst && Object.keys(this.settings.thresholds).length > 0) this.reportThresholds();
  }

  /** value: in the layer's own unit. */
  moveThreshold(at, value) {
    const { group, scale, volume } = this.shadeOf(at);
    this.settings.thresholds[group] = scale.isRarity ? rarityOfValue(volume.rarity, value, scale.top) : value;
  }

  // Layout

  build() {
    this.controls = new Controls(this);
    this.readout = new Readout(this);
    this.area = element("div", { class: "panels" });
    this.root.replaceChildren(this.controls.root, this.controls.help, this.area, this.readout.root);
    this.fillPanels();
  }

  fillPanels() {
    const { settings, volumes } = this;
    const isScanShown = settings.scanPanel || volumes.layers.length === 0;
    this.panels = volumes.layers.map((layer, at) => new Panel(this, at, layer));
    if (isScanShown) this.panels.unshift(new Panel(this, -1, volumes.scan));
    this.laidOut = JSON.stringify([settings.layout, settings.plane, isScanShown]);
    this.area.replaceChildren(...this.panels.map((panel) => panel.root));
    this.size = "";
    this.controls.show(settings);
    this.fit();
  }

  extentMm(axis) {
    return (this.box.high[axis] - this.box.low[axis] + 1) * this.grid.spacing[axis];
  }

  middle() {
    return this.box.low.map((low, axis) => (low + this.box.high[axis]) / 2);
  }

  /** Width over height that a panel's views want. */
  aspect() {
    const views = this.panels[0].views;
    if (this.settings.layout === "mosaic") return 1.1;
    const width = views.reduce((sum, view) => sum + this.extentMm(view.plane.across), 0);
    return width / Math.max(...views.map((view) => this.extentMm(view.plane.up)));
  }

  /** As many columns as make the panels largest. */
  fit() {
    if (!this.panels) return;
    const width = this.area.clientWidth;
    const isFull = document.fullscreenElement && this.root.getRootNode().fullscreenElement === this.root;
    const outside = this.controls.root.offsetHeight + this.readout.root.offsetHeight + 3 * GAP + (isFull ? 0 : HEADER);
    const height = Math.max(window.innerHeight - outside, SMALLEST + CHROME);
    const size = [width, height].join();
    if (width === 0 || size === this.size) return;
    this.size = size;
    const aspect = this.aspect(), count = this.panels.length;
    const choices = Array.from({ length: count }, (_, at) => {
      const columns = at + 1, rows = Math.ceil(count / columns);
      const wide = (width - GAP * (columns - 1)) / columns, high = (height - GAP * (rows - 1)) / rows - CHROME;
      return { wide, high: Math.max(SMALLEST, Math.min(high, wide / aspect)), size: Math.min(wide, high * aspect) };
    });
    const best = choices.reduce((one, other) => (other.size > one.size ? other : one));
    for (const panel of this.panels) panel.resize(Math.floor(best.wide), best.high);
    this.redraw();
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen();
  }

  // Drawing

  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const panel of this.panels) panel.draw();
      this.controls.show(this.settings);
      this.readout.tell();
      if (this.shown === this.wanted) this.root.dataset.state = "drawn";
    });
  }

  /** A table made anew only when what it depends on has changed. */
  table(name, depends, make) {
    const key = JSON.stringify(depends), known = this.tables.get(name);
    if (known?.key === key) return known.made;
    const made = make();
    this.tables.set(name, { key, made });
    return made;
  }

  /** How layer `at` is coloured: its scale, colours, threshold, upper end and the share of the brain it marks. */
  shadeOf(at) {
    const { settings } = this;
    const volume = this.volumes.layers[at];
    const scale = this.scaleOf(at);
    const group = groupOf(settings, scale, volume);
    const high = settings.high[group] ?? this.firstHigh(at);
    const threshold = Math.min(settings.thresholds[group] ?? this.firstThreshold(at), high);
    const colours = volume.signed ? divergingRamp : this.ramps[settings.colours];
    const share = this.table(`share ${at}`, [settings.scale, threshold], () => shareAbove(scale, this.counts[at], threshold));
    return { volume, scale, group, high, threshold, colours, share };
  }

  scaleOf(at) {
    const volume = this.volumes.layers[at];
    return this.table(`scale ${at}`, [this.settings.scale], () => new Scale(volume, this.settings.scale, this.data.rarity.top));
  }

  /** The places of the layers that share range and threshold with layer `at`. */
  sharing(at) {
    const group = (one) => groupOf(this.settings, this.scaleOf(one), this.volumes.layers[one]);
    return this.volumes.layers.map((_, one) => one).filter((one) => group(one) === group(at));
  }

  firstHigh(at) {
    return Math.max(...this.sharing(at).map((one) => this.table(`high ${one}`, [this.settings.scale], () =>
      this.scaleOf(one).firstHigh(this.volumes.layers[one], this.counts[one]))));
  }

  firstThreshold(at) {
    const [first] = this.sharing(at), volume = this.volumes.layers[first], { threshold, top } = this.data.rarity;
    if (this.scaleOf(first).isRarity) return threshold;
    return volume.rarity.length > 1 ? valueAtRarity(volume.rarity, threshold, top) : this.scaleOf(first).quantile(volume, this.counts[first], 0.95);
  }

  /** What a panel draws: the scan (−1) or layer `at` over it. */
  sceneOf(at) {
    const { settings, volumes, grid } = this;
    const base = settings.flicker && volumes.reconstruction ? volumes.reconstruction : volumes.scan;
    const { low, high } = this.window();
    return {
      grid, base, box: this.box, truth: volumes.truth, outline: settings.outline, opacity: settings.opacity, smooth: settings.smooth,
      name: at < 0 ? volumes.scan.name : volumes.layers[at].name,
      greys: this.table(`greys ${base.digest}`, [low, high], () => greyTable(base, { low, high })),
      map: at < 0 || settings.hidden ? null : this.mapOf(at),
    };
  }

  mapOf(at) {
    const { volume, scale, colours, threshold, high } = this.shadeOf(at);
    const { agreement, scale: kind, colours: name } = this.settings;
    if (agreement && this.volumes.truth) {
      return { volume, ...this.table(`agreement ${at}`, [kind, threshold], () => agreementTables(scale, threshold)) };
    }
    return { volume, outside: this.table(`map ${at}`, [kind, threshold, high, name], () => mapTable(scale, colours, threshold, high)) };
  }

  window() {
    const ends = (share) => quantile(this.brain, share) * this.volumes.scan.step;
    return this.settings.window ?? this.table("window", [], () => ({ low: ends(0.01), high: ends(0.99) }));
  }

  // What the reader does

  change(patch) {
    Object.assign(this.settings, patch);
    const { layout, plane, scanPanel } = this.settings;
    if (this.laidOut !== JSON.stringify([layout, plane, scanPanel || this.volumes.layers.length === 0])) this.fillPanels();
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
    for (const panel of this.panels) panel.tell();
    this.readout.tell();
  }

  pointed() {
    return this.hovered ?? this.settings.cursor;
  }

  pan(plane, u, v) {
    const centre = [...(this.settings.centre ?? this.middle())];
    centre[plane.across] += u;
    centre[plane.up] += v;
    this.change({ centre });
  }

  /** Zooms and keeps the point [u, v] of the plane where it is; the middle when there is none. */
  zoomAt(plane, point, factor) {
    const zoom = Math.max(0.5, Math.min(20, this.settings.zoom * factor)), kept = this.settings.zoom / zoom;
    const centre = [...(this.settings.centre ?? this.middle())];
    if (point) [plane.across, plane.up].forEach((axis, at) => { centre[axis] = point[at] + (centre[axis] - point[at]) * kept; });
    this.change({ zoom, centre });
  }

  setWindow(level, width) {
    this.change({ window: { low: level - width / 2, high: level + width / 2 } });
  }

  /** Mouse travel as shares of the brightest intensity. */
  pullWindow(wider, higher) {
    const { low, high } = this.window(), brightest = this.intensities[1];
    this.setWindow((low + high) / 2 + higher * brightest, Math.max(brightest / 500, high - low + wider * brightest));
  }

  setThreshold(at, threshold) {
    const { group, scale, high } = this.shadeOf(at);
    const limit = scale.isRarity ? scale.top : high;
    this.change({ thresholds: { ...this.settings.thresholds, [group]: Math.max(0, Math.min(limit, threshold)) } });
  }

  stepThreshold(by) {
    const groups = new Set();
    this.volumes.layers.forEach((_, at) => {
      const { group, threshold, high } = this.shadeOf(at);
      if (groups.has(group)) return;
      groups.add(group);
      this.setThreshold(at, threshold + (by * high) / 100);
    });
  }

  setHigh(at, high) {
    this.change({ high: { ...this.settings.high, [this.shadeOf(at).group]: high } });
  }

  reset() {
    this.change({ zoom: 1, centre: null, window: null });
  }

  // What Python hears

  report(isClick) {
    const voxel = this.settings.cursor;
    this.settings.reported = true;
    this.python.setStateValue("cursor", { voxel, after: this.settings.after });
    if (isClick && this.data.clicks) this.python.setTriggerValue("click", { voxel });
  }

  /** Each map's threshold in its own unit. */
  reportThresholds() {
    const values = Object.fromEntries(this.volumes.layers.map((volume, at) => {
      const { scale, threshold } = this.shadeOf(at);
      return [volume.name, scale.isRarity ? valueAtRarity(volume.rarity, threshold, scale.top) : threshold];
    }));
    this.python.setStateValue("thresholds", { values, after: this.settings.afterThresholds });
  }
}
