// The tool bar above the panels: layout, overlay, window, measures and view, each a group under its name.

import { Controls } from "./controls.js";
import { element } from "./dom.js";
import { helpList } from "./help.js";
import { icon } from "./icons.js";
import { WindowHistogram } from "./window_histogram.js";

const LAYOUTS = [
  ["Axial", "axial", { layout: "single", plane: "axial" }], ["Coronal", "coronal", { layout: "single", plane: "coronal" }],
  ["Sagittal", "sagittal", { layout: "single", plane: "sagittal" }],
  ["Planes", "planes", { layout: "planes" }], ["Mosaic", "mosaic", { layout: "mosaic" }],
  ["3-D", "solid", { layout: "solid" }],
];

export class Toolbar {
  constructor(viewer) {
    this.viewer = viewer;
    this.controls = new Controls(viewer);
    this.help = helpList(viewer.data.toys);
    const window = this.controls.group("Window", ...this.window());
    window.firstChild.append(" ", this.windowSaid);
    this.root = element("div", { class: "controls" },
      this.controls.group("Layout", ...this.layout()), this.controls.group("Overlay", ...this.overlay()), window,
      this.controls.group("Measure", ...this.measure()), this.controls.group("View", ...this.view()), this.help);
  }

  show(settings) {
    this.controls.show(settings);
  }

  layout() {
    const { controls, viewer } = this;
    const isOn = (change) => (settings) => settings.layout === change.layout && (change.plane ?? settings.plane) === settings.plane;
    return [
      ...LAYOUTS.map(([name, face, change], at) => controls.button(name, icon(face), `${name} (${at + 1})`, () => viewer.change(change), isOn(change))),
      controls.toggle("Scan", icon("scan"), "A panel of the scan alone", "scanPanel", () => viewer.volumes.layers.length > 0),
    ];
  }

  overlay() {
    const { controls, viewer } = this, { colours } = viewer.data;
    const layers = () => viewer.volumes.layers, hasTruth = () => Boolean(viewer.volumes.truth);
    const fading = layers().filter(({ rarity }) => rarity.length > 1).map(({ name }) => name);
    if (!fading.includes(viewer.settings.fade)) viewer.settings.fade = "";
    return [
      controls.slider("Opacity", icon("opacity"), "Opacity of the maps (, .)", () => viewer.settings.opacity,
        (opacity) => viewer.change({ opacity }), () => [0, 1], () => layers().length > 0),
      controls.menu("Faded by", icon("fade"), "Faded by: how opaque the maps are, evenly or by how rare another map is at a voxel, clear up to its threshold and full at 1/1000",
        "fade", { "": "Not faded", ...Object.fromEntries(fading.map((name) => [name, `By ${name}`])) }, () => layers().length > 1 && fading.length > 0),
      controls.choice("Colours", "Colours of the maps", "colours", Object.fromEntries(Object.keys(colours).map((name) => [name, name])),
        () => layers().some((layer) => !layer.signed)),
      controls.choice("Scale", "What colours and thresholds follow: how rare a value is among healthy voxels, or the value in the map's own unit",
        "scale", { rarity: "Healthy rarity", own: "Own units" }, () => layers().some((layer) => layer.rarity.length > 1)),
      controls.toggle("Same range", icon("range"), "Same range: maps of one unit share one range and one threshold", "locked", () => layers().length > 1),
      controls.toggle("Truth", icon("truth"), "Truth: its outline (O)", "outline", hasTruth),
      controls.toggle("True/false", icon("agreement"), "True/false: hits, false alarms and misses (T)", "agreement", hasTruth),
      controls.hold("Reconstruction", icon("reconstruction"), "Hold to see the network's reconstruction (F)", "flicker", () => Boolean(viewer.volumes.reconstruction)),
    ];
  }

  window() {
    const { controls, viewer } = this, histogram = new WindowHistogram(viewer);
    controls.updates.push(() => histogram.draw());
    this.windowSaid = histogram.said;
    return [histogram.root, controls.button("Auto", "Auto", "1 to 99 % of the brain (W)", () => viewer.change({ window: null }))];
  }

  measure() {
    const { controls, viewer } = this;
    const tool = (name, value, title) => controls.button(name, icon(value), title,
      () => viewer.change({ tool: viewer.settings.tool === value ? null : value }), (settings) => settings.tool === value);
    const clear = controls.button("Clear measures", icon("clear"), "Clear all measures", () => viewer.measures.clear());
    controls.updates.push(({ measures }) => { clear.disabled = measures.length === 0; });
    return [
      tool("Ruler", "ruler", "Ruler: drag a line for its length in mm (M); Escape ends"),
      tool("Region", "region", "Region: drag an ellipse for the values in it (E); Escape ends"), clear,
    ];
  }

  view() {
    const { controls, viewer, help } = this;
    return [
      this.side(),
      controls.toggle("Smooth", icon("smooth"), "Smooth: interpolate between voxels", "smooth"),
      controls.button("Reset", icon("reset"), "Reset zoom, pan and window (0)", () => viewer.reset()),
      controls.button("Full screen", icon("full"), "Full screen", () => viewer.stage.toggleFullScreen()),
      controls.button("?", "?", "Mouse and keys", () => { help.hidden = !help.hidden; }),
    ];
  }

  /** Which of the patient's sides is on the left, as a picture has them. */
  side() {
    const { controls, viewer } = this;
    const made = controls.button("", "", "", () => viewer.change({ radiological: !viewer.settings.radiological }));
    made.classList.add("side");
    controls.updates.push(({ radiological }) => {
      made.textContent = radiological ? "R | L" : "L | R";
      made.ariaLabel = radiological ? "Radiological" : "Neurological";
      made.title = radiological ? "Radiological: the patient's right is on the left (R)" : "Neurological: the patient's left is on the left (R)";
    });
    return made;
  }
}
