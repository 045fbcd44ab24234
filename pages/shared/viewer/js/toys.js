// What the reader does to toys: planted, chosen, dragged, pulled larger, nudged, deleted. Acts wait here until Python has answered them.

import { PLANES } from "./geometry.js";
import { Preview } from "./preview.js";
import { afterActs, movedTo, partAt, pulledMm, resized } from "./outlines.js";

const LONGEST_PATH = 400; // voxels, which Python takes at most
const ARROWS = { ArrowUp: ["up", 1], ArrowDown: ["up", -1], ArrowRight: ["across", 1], ArrowLeft: ["across", -1] };

export class Toys {
  constructor(viewer) {
    this.viewer = viewer;
    this.preview = new Preview(viewer);
    this.held = null; // what the pointer has: the toy as it would become
    this.onKey = (event) => this.undoByKey(event);
    document.addEventListener("keydown", this.onKey);
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    this.preview.close();
  }

  get given() {
    return this.viewer.data?.toys ?? null;
  }

  get spacing() {
    return this.viewer.grid.spacing;
  }

  /** Acts up to the one that what Python sent follows from are done. */
  take() {
    const { settings } = this.viewer;
    this.preview.whole = null;
    if (!this.given) return;
    settings.acts = settings.acts.filter(({ number }) => number > this.given.done);
    settings.acted = Math.max(settings.acted, this.given.done);
  }

  /** The toys as the reader has left them; null on a page without. */
  shown() {
    if (!this.given) return null;
    const after = afterActs(this.given, this.viewer.settings.acts, this.spacing);
    if (this.held?.path) return { ...after, planted: [...after.planted, { path: this.held.path, mm: this.given.nextMm }] };
    if (!this.held) return after;
    const list = after.list.map((toy) => (toy.id === this.held.toy.id ? this.held.toy : toy));
    return { ...after, list, chosen: this.held.toy.id };
  }

  chosen() {
    const shown = this.shown();
    return shown?.list.find(({ id }) => id === shown.chosen);
  }

  /** Tells Python of an act, with all those that it has not answered. A toy's later place overtakes its earlier one. */
  send(act) {
    const { settings, python } = this.viewer;
    const last = settings.acts.at(-1);
    if (act.name === "move" && last?.name === "move" && last.id === act.id && last.isNudge && act.isNudge) settings.acts.pop();
    settings.acted += 1;
    settings.acts = [...settings.acts, { number: settings.acted, ...act }];
    python.setStateValue("acts", settings.acts);
    this.viewer.redraw();
  }

  plant(voxel) {
    if (this.given) this.send({ name: "plant", voxel });
  }

  // The pointer

  partAt(picture, point) {
    return this.given && partAt(this.shown(), picture, this.spacing, point);
  }

  /** What the pointer shows over a point. */
  pointer(picture, point) {
    const found = picture && this.partAt(picture, point);
    if (!found && picture && this.given?.draws) return "cell";
    return found ? { body: "move", size: "ew-resize", length: "ns-resize" }[found.part] : "";
  }

  /** Takes what lies under the pointer, or begins to draw there; false where that is no toy and nothing is drawn. */
  grab(picture, point) {
    const found = this.partAt(picture, point);
    if (!found && this.given?.draws) this.held = { path: [this.voxelAt(picture, point)] };
    if (!found) return Boolean(this.held);
    this.held = { ...found, from: picture.projection.toVoxels(...point), before: found.toy };
    this.viewer.redraw();
    return true;
  }

  /** The voxel under a point of a picture, the nearest one of the grid. */
  voxelAt({ projection, index }, point) {
    const { across, up, through } = projection.plane, [u, v] = projection.toVoxels(...point), voxel = [0, 0, 0];
    [voxel[across], voxel[up], voxel[through]] = [Math.round(u), Math.round(v), index];
    return voxel.map((at, axis) => Math.max(0, Math.min(this.viewer.grid.shape[axis] - 1, at)));
  }

  pull(picture, point) {
    if (this.held.path) return this.draw(this.voxelAt(picture, point));
    const { part, from, before } = this.held, { projection: { plane }, index } = picture;
    const to = picture.projection.toVoxels(...point);
    if (part === "body") {
      const centre = [...before.centre];
      centre[plane.across] += Math.round(to[0] - from[0]);
      centre[plane.up] += Math.round(to[1] - from[1]);
      this.held.toy = movedTo(before, centre.map((at, axis) => Math.max(0, Math.min(this.viewer.grid.shape[axis] - 1, at))));
    } else this.held.toy = resized(before, part, pulledMm(before, part, plane, index, to, this.spacing), this.spacing);
    if (this.change()) this.preview.want(this.change());
    this.viewer.redraw();
  }

  draw(voxel) {
    const { path } = this.held;
    if (String(path.at(-1)) === String(voxel) || path.length >= LONGEST_PATH) return;
    path.push(voxel);
    this.viewer.redraw();
  }

  /** What the held toy has become, as an act; null where it is as it was. */
  change() {
    const { toy, part, before } = this.held, id = toy.id;
    if (part !== "body") return toy === before ? null : { name: part, id, mm: part === "size" ? toy.size_mm : toy.length_mm };
    return String(toy.centre) === String(before.centre) ? null : { name: "move", id, voxel: toy.centre };
  }

  /** Lets go: a toy that stayed where it was is chosen. */
  drop() {
    if (this.held.path) {
      const { path } = this.held;
      this.held = null;
      this.viewer.setCursor(path[0]);
      return this.send({ name: "draw", path });
    }
    const { toy } = this.held, change = this.change();
    this.held = null;
    this.preview.end(Boolean(change));
    if (change) this.send(change);
    else if (this.shown().chosen !== toy.id) this.send({ name: "choose", id: toy.id });
    this.viewer.redraw();
  }

  cancel() {
    this.held = null;
    this.preview.end(false);
    this.viewer.redraw();
  }

  // The keyboard

  /** What a key does to the chosen toy; undefined where none is chosen, or for another key. */
  actOf({ key }) {
    const toy = this.chosen();
    if (!toy) return undefined;
    if (key === "Delete" || key === "Backspace") return () => this.send({ name: "delete", id: toy.id });
    if (key === "Escape") return () => this.send({ name: "choose", id: null });
    if (!(key in ARROWS)) return undefined;
    const { settings } = this.viewer, plane = PLANES[settings.plane], [axis, by] = ARROWS[key];
    const isTurned = axis === "across" && (plane.across === 1 || settings.radiological);
    return () => this.nudge(toy, plane[axis], isTurned ? -by : by);
  }

  nudge(toy, axis, by) {
    const voxel = [...toy.centre];
    voxel[axis] = Math.max(0, Math.min(this.viewer.grid.shape[axis] - 1, voxel[axis] + by));
    this.viewer.setCursor(voxel);
    this.send({ name: "move", id: toy.id, voxel, isNudge: true });
  }

  /** Ctrl+Z, and Ctrl+Shift+Z or Ctrl+Y, wherever on the page no text is written. */
  undoByKey(event) {
    const key = event.key.toLowerCase();
    if (!this.given || !(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return;
    if (event.composedPath()[0].matches?.("textarea, [contenteditable], input:not([type=range], [type=checkbox])")) return;
    event.preventDefault();
    this.send({ name: key === "y" || event.shiftKey ? "redo" : "undo" });
  }
}
