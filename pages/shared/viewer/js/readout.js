// The line under the panels: where the pointer or the crosshair is, and what lies there.

import { element, setText, toText } from "./dom.js";
import { transform } from "./geometry.js";

export class Readout {
  constructor(viewer) {
    this.viewer = viewer;
    const names = ["where", "voxel", "mm", "scan", "reconstruction", "truth", "oblique"];
    this.parts = Object.fromEntries(names.map((name) => [name, element("span", { class: name })]));
    const colours = [["hit", "hit"], ["alarm", "false alarm"], ["missed", "missed"]];
    this.legend = element("span", { class: "legend" }, ...colours.flatMap(([colour, name]) => [element("i", { class: colour }), name]));
    this.root = element("div", { class: "readout", role: "status", "aria-live": "off" }, ...Object.values(this.parts), this.legend);
  }

  tell() {
    const { grid, volumes, hovered, settings } = this.viewer;
    const voxel = this.viewer.pointed();
    const say = (name, text) => { setText(this.parts[name], text); };
    say("where", hovered ? "Pointer" : "Crosshair");
    say("voxel", voxel ? `voxel ${transform(grid.fileVoxels, voxel).map(Math.round).join(" ")}` : "outside");
    say("mm", voxel ? `${transform(grid.affine, voxel).map((mm) => mm.toFixed(1).replace("-", "−")).join("  ")} mm (R A S)` : "");
    say("scan", voxel ? `scan ${toText(volumes.scan.at(voxel))}` : "");
    say("reconstruction", voxel && volumes.reconstruction ? `reconstruction ${toText(volumes.reconstruction.at(voxel))}` : "");
    say("truth", voxel && volumes.truth ? (volumes.truth.at(voxel) ? "in the truth" : "not in the truth") : "");
    this.legend.hidden = !(settings.agreement && volumes.truth);
    say("oblique", grid.obliquity > 0.5 ? `oblique by ${grid.obliquity.toFixed(0)}°` : "");
  }
}
