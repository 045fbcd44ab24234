// One panel: the scan alone, or one method's map over it.

import { ColourBar, WindowBar } from "./colour_bar.js";
import { element, setText, toText } from "./dom.js";
import { View } from "./view.js";

const PLANES_SHOWN = ["axial", "coronal", "sagittal"];

export class Panel {
  /** at: the layer's place, or −1 for the scan. */
  constructor(viewer, at, record) {
    const { layout, plane } = viewer.settings;
    this.viewer = viewer;
    this.at = at;
    this.views = (layout === "planes" ? PLANES_SHOWN : [plane]).map((name) => new View(viewer, name, layout === "mosaic"));
    this.value = element("span", { class: "value" });
    this.bar = at < 0 ? new WindowBar(viewer) : new ColourBar(viewer, at);
    this.root = element("section", { class: "panel", "aria-label": record.name },
      element("header", { title: [record.name, record.about].filter(Boolean).join(": ") }, element("strong", {}, record.name), this.value),
      element("div", { class: "views" }, ...this.views.map((view) => view.root)),
      this.bar.root);
  }

  resize(width, height) {
    const shares = this.views.map((view) => this.viewer.stage.extentMm(view.plane.across));
    const total = shares.reduce((sum, share) => sum + share, 0), free = width - 2 * (this.views.length - 1);
    this.views.forEach((view, at) => view.resize((free * shares[at]) / total, height));
    this.root.style.width = `${width}px`;
  }

  draw() {
    const { viewer, at } = this;
    const scene = viewer.sceneOf(at);
    for (const view of this.views) view.draw(scene);
    if (at < 0) this.bar.draw();
    else this.bar.draw(viewer.volumes.layers[at], viewer.shades.of(at));
    this.tell();
  }

  /** The value under the pointer, or at the crosshair. */
  tell() {
    const volume = this.at < 0 ? this.viewer.volumes.scan : this.viewer.volumes.layers[this.at];
    const voxel = this.viewer.pointed();
    setText(this.value, toText(volume.at(voxel)));
    this.value.title = volume.unit;
  }
}
