// One canvas: a slice of one plane, or a mosaic of them, with the mouse.

import { element, setText } from "./dom.js";
import { PLANES, Projection, letters } from "./geometry.js";
import { drawPicture } from "./picture.js";

const TILES = 12; // about as many in a mosaic
const NARROW = 230; // px, below which the label leaves the plane's name out
const NOTCH = 30; // px of wheel travel a slice, for touchpads; a mouse's notch is one slice

export class View {
  constructor(viewer, planeName, isMosaic, at) {
    this.viewer = viewer;
    this.at = at;
    this.plane = PLANES[planeName];
    this.isMosaic = isMosaic;
    this.canvas = element("canvas", { role: "img" });
    this.letters = Object.fromEntries(["left", "right", "top", "bottom"].map((side) => [side, element("span", { class: `letter ${side}` })]));
    this.label = element("span", { class: "slice" });
    this.root = element("div", { class: "view", "data-plane": planeName }, this.canvas, ...Object.values(this.letters), this.label);
    this.travel = 0;
    this.listen();
  }

  /** fit: the width that zoom 1 keeps to, so that panels of different widths show the same size. */
  resize(width, height, fit) {
    this.fit = fit;
    const ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [Math.floor(width), Math.floor(height)];
    this.canvas.width = this.width * ratio;
    this.canvas.height = this.height * ratio;
    Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** The slices on this canvas: where each lies and its index. */
  pictures() {
    const { grid, box, settings } = this.viewer;
    const sight = { zoom: settings.zoom, centre: settings.centre ?? this.viewer.stage.middle(), radiological: settings.radiological };
    const project = (frame) => new Projection(this.plane, frame, grid, box, sight);
    const { through, across, up } = this.plane;
    if (!this.isMosaic) {
      return [{ projection: project({ x: 0, y: 0, width: this.width, height: this.height, fit: this.fit }), index: settings.cursor[through] }];
    }
    const extent = (axis) => (box.high[axis] - box.low[axis] + 1) * grid.spacing[axis];
    const rowsOf = (columns) => Math.max(1, Math.floor((this.height * columns * extent(across)) / (this.width * extent(up))));
    const columns = [2, 3, 4, 5, 6, 7, 8].reduce((best, one) =>
      (Math.abs(one * rowsOf(one) - TILES) < Math.abs(best * rowsOf(best) - TILES) ? one : best));
    const rows = rowsOf(columns), width = this.width / columns, height = this.height / rows;
    const count = columns * rows, depth = box.high[through] - box.low[through];
    return Array.from({ length: count }, (_, tile) => ({
      projection: project({ x: (tile % columns) * width, y: Math.floor(tile / columns) * height, width, height }),
      index: Math.round(box.low[through] + depth * (tile + 0.5) / count),
    }));
  }

  draw(scene) {
    const { settings, grid } = this.viewer;
    const pictures = this.pictures();
    const slice = settings.cursor[this.plane.through];
    const nearest = pictures.reduce((best, one) => (Math.abs(one.index - slice) < Math.abs(best.index - slice) ? one : best));
    for (const picture of pictures) {
      drawPicture(this.context, picture.projection, picture.index, scene, {
        cursor: picture.index === slice && settings.cursor, ruler: !this.isMosaic,
      });
    }
    if (this.isMosaic) this.frame(nearest.projection.frame);
    const sides = letters(this.plane, settings.radiological);
    for (const [side, span] of Object.entries(this.letters)) setText(span, sides[side]);
    const total = grid.shape[this.plane.through];
    const where = this.isMosaic ? "mosaic" : `${slice + 1} / ${total}`;
    const label = this.width < NARROW ? where : `${this.plane.name} ${where}`;
    setText(this.label, this.isMosaic ? "" : label);
    const description = `${scene.name}, ${this.plane.name} ${where}, ${sides.left} on the left, ${sides.top} at the top`;
    if (this.canvas.ariaLabel !== description) this.canvas.ariaLabel = description;
  }

  frame({ x, y, width, height }) {
    this.context.strokeStyle = "rgba(110, 200, 255, 0.85)";
    this.context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  }

  /** The picture at canvas px, and the voxel there (rounded, perhaps outside the volume). */
  hit(px, py) {
    const found = this.pictures().find(({ projection: { frame } }) =>
      px >= frame.x && px < frame.x + frame.width && py >= frame.y && py < frame.y + frame.height);
    return found && { picture: found, voxel: this.voxelAt(found, px, py) };
  }

  voxelAt({ projection, index }, px, py) {
    const [u, v] = projection.toVoxels(px, py);
    const voxel = [0, 0, 0];
    [voxel[this.plane.across], voxel[this.plane.up], voxel[this.plane.through]] = [Math.round(u), Math.round(v), index];
    return voxel;
  }

  listen() {
    const at = (event) => [event.offsetX, event.offsetY];
    this.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    this.canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.viewer.root.focus({ preventScroll: true });
      const found = this.hit(...at(event));
      if (!found) return;
      this.canvas.setPointerCapture(event.pointerId);
      const pressed = event.button === 2 ? "window" : event.button === 1 || event.shiftKey ? "pan" : this.viewer.settings.tool ? "measure" : "crosshair";
      const act = pressed === "crosshair" && this.viewer.toys.grab(found.picture, at(event)) ? "toy" : pressed;
      this.drag = { act, ...found, last: at(event), moved: 0 };
      if (act === "crosshair") this.viewer.setCursor(found.voxel);
      if (act === "measure") this.viewer.measures.begin(found.picture, at(event));
    });
    this.canvas.addEventListener("pointermove", (event) => (this.drag ? this.pull(...at(event)) : this.pass(...at(event))));
    this.canvas.addEventListener("pointerup", () => {
      if (this.drag?.act === "crosshair") this.viewer.report(this.drag.moved < 4);
      if (this.drag?.act === "toy") this.viewer.toys.drop();
      if (this.drag?.act === "measure") this.viewer.measures.drop();
      this.drag = null;
    });
    this.canvas.addEventListener("pointercancel", () => {
      if (this.drag?.act === "toy") this.viewer.toys.cancel();
      if (this.drag?.act === "measure") this.viewer.measures.cancel();
      this.drag = null;
    });
    this.canvas.addEventListener("dblclick", () => {
      if (!this.viewer.data.toys && !this.viewer.settings.tool) this.viewer.stage.enlarge(this.at); // on a page of toys, two clicks are two toys
    });
    this.canvas.addEventListener("pointerleave", () => this.viewer.hover(undefined));
    this.canvas.addEventListener("wheel", (event) => this.roll(event, ...at(event)), { passive: false });
  }

  pass(px, py) {
    const found = this.hit(px, py);
    this.viewer.hover(found?.voxel);
    this.canvas.style.cursor = this.viewer.settings.tool ? "cell" : this.viewer.toys.pointer(found?.picture, [px, py]);
  }

  pull(px, py) {
    const { drag, viewer } = this;
    const [dx, dy] = [px - drag.last[0], py - drag.last[1]];
    drag.last = [px, py];
    drag.moved += Math.abs(dx) + Math.abs(dy);
    if (drag.act === "crosshair") viewer.setCursor(this.voxelAt(drag.picture, px, py));
    if (drag.act === "measure" && viewer.measures.held) viewer.measures.pull(drag.picture, [px, py]);
    if (drag.act === "toy") viewer.toys.pull(drag.picture, [px, py]);
    if (drag.act === "window") viewer.pullWindow(dx / 300, -dy / 300);
    if (drag.act === "pan") {
      const { projection } = drag.picture;
      const from = projection.toVoxels(0, 0), to = projection.toVoxels(dx, dy);
      viewer.pan(this.plane, from[0] - to[0], from[1] - to[1]);
    }
  }

  roll(event, px, py) {
    event.preventDefault();
    const travel = event.deltaY * (event.deltaMode === 1 ? 33 : 1);
    if (event.ctrlKey || event.metaKey) {
      const found = this.hit(px, py);
      if (found) this.viewer.zoomAt(this.plane, found.picture.projection.toVoxels(px, py), Math.exp(-travel / 400));
      return;
    }
    this.travel = Math.abs(travel) >= 50 ? Math.sign(travel) * NOTCH : this.travel + travel;
    const slices = Math.trunc(this.travel / NOTCH);
    this.travel -= slices * NOTCH;
    if (slices !== 0) this.viewer.step(this.plane.through, -slices);
  }
}
