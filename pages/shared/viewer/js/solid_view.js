// One canvas of the 3-D view: turned by the mouse, and by the arrow keys of all.

import { element, setText } from "./dom.js";
import { PLANES } from "./geometry.js";
import { directions, ownerAt, seenAt } from "./turning.js";

const DEGREES = 0.5; // for a px
const LETTERS = [["R", 0, 1], ["L", 0, -1], ["A", 1, 1], ["P", 1, -1], ["S", 2, 1], ["I", 2, -1]];
const MISSING = "This browser has no WebGL, so there is no 3-D view; the other layouts show the same maps.";

export class SolidView {
  /** at: the layer's place, or −1 for the scan. */
  constructor(viewer, at) {
    this.viewer = viewer;
    this.at = at;
    this.plane = PLANES.axial; // whose width it takes
    this.canvas = element("canvas", { role: "img" });
    this.label = element("span", { class: "slice" });
    this.missing = element("p", { class: "missing", hidden: true }, MISSING);
    this.root = element("div", { class: "view solid", "data-plane": "solid" }, this.canvas, this.label, this.missing);
    this.listen();
  }

  /** fit: the width of the narrowest panel. */
  resize(width, height, fit) {
    this.size = Math.min(fit, height);
    this.ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [Math.floor(width), Math.floor(height)];
    Object.assign(this.canvas, { width: Math.floor(this.width * this.ratio), height: Math.floor(this.height * this.ratio) });
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.context = this.canvas.getContext("2d", { alpha: false });
  }

  /** A brain is about an ellipsoid: what its longest axis has room for, it has however it is turned. */
  pixelsPerMm() {
    const { stage, settings } = this.viewer;
    return (settings.zoom * this.size) / (1.15 * Math.max(...[0, 1, 2].map((axis) => stage.extentMm(axis))));
  }

  draw(scene) {
    const { solids, settings } = this.viewer, glass = solids.renderer();
    this.missing.hidden = glass !== null;
    if (!glass) {
      this.canvas.ariaLabel = MISSING;
      return;
    }
    const axes = directions(settings.turn), scale = this.pixelsPerMm(), found = solids.clusters(this.at);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    const { width, height } = this.canvas;
    glass.draw(this.context, { width, height, axes, pixelsPerMm: scale * this.ratio, finer: this.ratio >= 2 ? 1 : solids.finer },
      { brain: solids.brain(), clusters: found?.count > 0 ? found.mesh : null, colours: found?.colours });
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.mark(axes, scale);
    const told = this.tell(found);
    setText(this.label, told);
    const description = `${scene.name}, 3-D${told ? `, ${told}` : ""}`;
    if (this.canvas.ariaLabel !== description) this.canvas.ariaLabel = description;
  }

  tell(found) {
    if (!found) return "";
    const of = this.at < 0 ? "in the truth" : "above the threshold", shown = found.peaks.length;
    const name = found.count === 1 ? "cluster" : "clusters";
    return shown < found.count ? `the largest ${shown} of ${found.count} ${name} ${of}` : `${found.count} ${name} ${of}`;
  }

  /** The patient's sides, and the crosshair. */
  mark(axes, scale) {
    const { context } = this, { stage, solids, settings } = this.viewer;
    const place = (point) => {
      const [right, up, towards] = seenAt(axes, point);
      return [this.width / 2 + right * scale, this.height / 2 - up * scale, towards];
    };
    Object.assign(context, { font: "600 14px sans-serif", textAlign: "center", textBaseline: "middle" });
    for (const [letter, axis, sign] of LETTERS) {
      const point = [0, 0, 0];
      point[axis] = sign * (stage.extentMm(axis) / 2 + 8);
      const [x, y, towards] = place(point);
      context.fillStyle = `rgba(230, 230, 230, ${towards < -1 ? 0.4 : 1})`;
      context.fillText(letter, x, y);
    }
    context.textBaseline = "alphabetic";
    const [x, y] = place(solids.fromMiddle(settings.cursor));
    context.strokeStyle = "rgba(110, 200, 255, 0.95)";
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + 4 * dx, y + 4 * dy);
      context.lineTo(x + 11 * dx, y + 11 * dy);
    }
    context.stroke();
  }

  // The mouse

  listen() {
    this.canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.viewer.root.focus({ preventScroll: true });
      this.canvas.setPointerCapture(event.pointerId);
      this.drag = { last: [event.offsetX, event.offsetY], moved: 0 };
    });
    this.canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => (this.drag ? this.pull(offsetX, offsetY) : this.pass(offsetX, offsetY)));
    this.canvas.addEventListener("pointerup", ({ offsetX, offsetY }) => {
      if (this.drag?.moved < 4) this.go(offsetX, offsetY);
      this.drag = null;
    });
    this.canvas.addEventListener("pointercancel", () => { this.drag = null; });
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.viewer.zoomAt(this.plane, null, Math.exp(-event.deltaY / 400));
    }, { passive: false });
  }

  pull(px, py) {
    const [dx, dy] = [px - this.drag.last[0], py - this.drag.last[1]];
    Object.assign(this.drag, { last: [px, py], moved: this.drag.moved + Math.abs(dx) + Math.abs(dy) });
    this.viewer.turn(DEGREES * dx, DEGREES * dy);
  }

  pass(px, py) {
    this.canvas.style.cursor = this.peakAt(px, py) ? "pointer" : "grab";
  }

  /** To the peak of the cluster that was clicked. */
  go(px, py) {
    const peak = this.peakAt(px, py);
    if (!peak) return;
    this.viewer.setCursor(peak);
    this.viewer.report(false);
  }

  peakAt(px, py) {
    const { solids, settings } = this.viewer, found = solids.renderer() && solids.clusters(this.at), scale = this.pixelsPerMm();
    if (!found) return undefined;
    return found.peaks[ownerAt(found.mesh, directions(settings.turn), [(px - this.width / 2) / scale, (this.height / 2 - py) / scale]) - 1];
  }
}
