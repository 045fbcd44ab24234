// Tool bar, panels and readout on the page: which panels there are, and how large.

import { element } from "./dom.js";
import { GAP, panelSizes } from "./layout.js";
import { Panel } from "./panel.js";
import { Readout } from "./readout.js";
import { Toolbar } from "./toolbar.js";

const HEADER = 68; // px that the page's own header covers

export class Stage {
  constructor(viewer) {
    this.viewer = viewer;
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(viewer.root);
    this.onResize = () => this.fit();
    window.addEventListener("resize", this.onResize);
  }

  close() {
    this.observer.disconnect();
    window.removeEventListener("resize", this.onResize);
  }

  build() {
    const { viewer } = this;
    this.toolbar = new Toolbar(viewer);
    this.readout = new Readout(viewer);
    this.area = element("div", { class: "panels" });
    viewer.root.replaceChildren(this.toolbar.root, this.area, this.readout.root, viewer.measures.root);
    this.fill();
  }

  /** What the panels depend on. */
  plan() {
    const { settings: { layout, plane, scanPanel, enlarged }, volumes } = this.viewer;
    return JSON.stringify([layout, plane, scanPanel || volumes.layers.length === 0, enlarged]);
  }

  isOutdated() {
    return this.laidOut !== this.plan();
  }

  fill() {
    const { viewer } = this, { settings, volumes } = viewer;
    const isScanShown = settings.scanPanel || volumes.layers.length === 0;
    const all = [...(isScanShown ? [-1] : []), ...volumes.layers.keys()];
    if (!all.includes(settings.enlarged)) settings.enlarged = null;
    const shown = settings.enlarged === null ? all : [settings.enlarged];
    this.panels = shown.map((at) => new Panel(viewer, at, at < 0 ? volumes.scan : volumes.layers[at]));
    this.laidOut = this.plan();
    this.area.replaceChildren(...this.panels.map((panel) => panel.root));
    this.toolbar.show(settings);
    this.fit(true);
  }

  draw() {
    if (this.viewer.settings.layout === "solid") this.viewer.solids.beginFrame();
    for (const panel of this.panels) panel.draw();
    this.toolbar.show(this.viewer.settings);
    this.readout.tell();
    this.viewer.measures.draw();
  }

  /** The values under the pointer, or at the crosshair. */
  tell() {
    for (const panel of this.panels) panel.tell();
    this.readout.tell();
  }

  // Sizes

  extentMm(axis) {
    const { box, grid } = this.viewer;
    return (box.high[axis] - box.low[axis] + 1) * grid.spacing[axis];
  }

  middle() {
    const { box } = this.viewer;
    return box.low.map((low, axis) => (low + box.high[axis]) / 2);
  }

  /** Width over height that a panel's views want. */
  aspect() {
    const { views } = this.panels[0];
    const { layout } = this.viewer.settings;
    if (layout === "mosaic") return 1.1;
    if (layout === "solid") return 1;
    const width = views.reduce((sum, view) => sum + this.extentMm(view.plane.across), 0);
    return width / Math.max(...views.map((view) => this.extentMm(view.plane.up)));
  }

  /** Sizes the panels when the room has changed, or anyway when there are new ones. */
  fit(isNew = false) {
    if (!this.panels) return;
    const { root } = this.viewer;
    const isFull = document.fullscreenElement && root.getRootNode().fullscreenElement === root;
    const outside = this.toolbar.root.offsetHeight + this.readout.root.offsetHeight + 3 * GAP + (isFull ? 0 : HEADER);
    const room = [this.area.clientWidth, window.innerHeight - outside];
    if (!isNew && String(room) === String(this.room)) return;
    this.room = room[0] > 0 ? room : null; // null while the page leaves no room; the observer calls again
    if (!this.room) return;
    const { widths, narrowest, height } = panelSizes(this.panels.length, ...room, this.aspect());
    this.panels.forEach((panel, at) => panel.resize(widths[at], height, narrowest));
    this.viewer.redraw();
  }

  /** Shows the panel of a layer (−1: of the scan) alone, and again all. */
  enlarge(at) {
    const { settings } = this.viewer;
    this.viewer.change({ enlarged: settings.enlarged === at ? null : at });
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.viewer.root.requestFullscreen();
  }
}
