// One panel: the scan alone, or one method's map over it.

import { ColourBar, WindowBar } from "./colour_bar.js";
import { element, setText, toText } from "./dom.js";
import { icon } from "./icons.js";
import { SolidView } from "./solid_view.js";
import { View } from "./view.js";

const PLANES_SHOWN = ["axial", "coronal", "sagittal"];

export class Panel {
  /** at: the layer's place, or −1 for the scan. */
  constructor(viewer, at, record) {
    const { layout, plane } = viewer.settings;
    this.viewer = viewer;
    this.at = at;
    const planes = layout === "planes" ? PLANES_SHOWN : [plane];
    this.views = layout === "solid" ? [new SolidView(viewer, at)] : planes.map((name) => new View(viewer, name, layout === "mosaic", at));
    this.value = element("span", { class: "value" });
    this.bar = at < 0 ? new WindowBar(viewer) : new ColourBar(viewer, at);
    this.root = element("section", { class: "panel", "aria-label": record.name },
      this.header(record),
      element("div", { class: "views" }, ...this.views.map((view) => view.root)),
      this.bar.root);
  }

  header({ name, about }) {
    const enlarge = () => this.viewer.stage.enlarge(this.at), isEnlarged = this.viewer.settings.enlarged === this.at;
    const button = element("button", {
      type: "button", class: "enlarge", "aria-label": `Enlarge ${name}`, "aria-pressed": String(isEnlarged),
      title: isEnlarged ? "All panels again (double-click, Escape)" : "This panel alone (double-click)", onclick: enlarge,
    }, icon("enlarge"));
    const header = element("header", { title: [name, about].filter(Boolean).join(": ") }, element("strong", {}, name), this.value, button);
    header.addEventListener("dblclick", (event) => button.contains(event.target) || enlarge());
    return header;
  }

  /** fit: the width of the narrowest panel. */
  resize(width, height, fit) {
    const shares = this.views.map((view) => this.viewer.stage.extentMm(view.plane.across));
    const total = shares.reduce((sum, share) => sum + share, 0), gaps = 2 * (this.views.length - 1);
    const part = (whole, at) => ((whole - gaps) * shares[at]) / total;
    this.views.forEach((view, at) => view.resize(part(width, at), height, part(fit, at)));
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
