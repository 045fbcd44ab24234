// The tool bar. Every control shows the settings, and only the viewer changes them.

import { element, toText } from "./dom.js";

const LAYOUTS = [
  ["Axial", { layout: "single", plane: "axial" }], ["Coronal", { layout: "single", plane: "coronal" }],
  ["Sagittal", { layout: "single", plane: "sagittal" }], ["Planes", { layout: "planes" }], ["Mosaic", { layout: "mosaic" }],
];
const HELP = [
  ["Wheel, PageUp, PageDown, − =", "slice"], ["Arrows", "move the crosshair"], ["Click, drag", "put the crosshair"],
  ["Ctrl + wheel, + and Shift −", "zoom"], ["Shift + drag, middle drag", "pan"], ["Right drag", "window and level"],
  ["[ ]", "threshold"], [", .", "opacity"], ["H (hold)", "hide the maps"], ["F (hold)", "flicker to the reconstruction"],
  ["O", "truth outline"], ["T", "true and false positives"], ["R", "radiological or neurological"],
  ["1 to 5", "layout"], ["W", "automatic window"], ["0", "reset the view"], ["Enter", "report the crosshair, as a click"],
];
const TOY_HELP = [
  ["Click", "plant a toy, or choose the one there"], ["Drag a toy", "move it"], ["Drag a white square", "make it larger or smaller"],
  ["Arrows", "move the chosen toy by a voxel"], ["Delete", "take the chosen toy out"], ["Escape", "choose none"],
  ["Ctrl + Z", "undo"], ["Ctrl + Shift + Z, Ctrl + Y", "redo"],
];

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.updates = []; // what brings each control in line with the settings
    const help = element("dl", { class: "help", hidden: true }, ...[...(viewer.data.toys ? TOY_HELP : []), ...HELP].flatMap(([keys, act]) => [element("dt", {}, keys), element("dd", {}, act)]));
    this.help = help;
    const layouts = element("div", { class: "group", role: "group", "aria-label": "Layout" }, ...LAYOUTS.map(([name, change], at) =>
      this.button(name, `Key ${at + 1}`, () => viewer.change(change), (settings) =>
        settings.layout === change.layout && (change.plane ?? settings.plane) === settings.plane)));
    this.root = element("div", { class: "controls" }, layouts, this.side(),
      this.button("Reset", "Zoom, pan and window (0)", () => viewer.reset()),
      this.button("Full screen", "", () => viewer.toggleFullScreen()),
      this.button("?", "Mouse and keys", () => { help.hidden = !help.hidden; }),
      this.toggle("Scan", "scanPanel", "A panel of the scan alone"), this.toggle("Smooth", "smooth", "Interpolate between voxels"),
      this.toggle("Truth", "outline", "Outline of the truth (O)", "truth"),
      this.toggle("True/false", "agreement", "Hits, false alarms and misses (T)", "truth"),
      this.hold("Reconstruction", "Hold to see the network's reconstruction (F)"),
      ...this.sliders(), ...this.choices(), this.legend());
  }

  show(settings) {
    for (const update of this.updates) update(settings);
  }

  button(text, title, onclick, isPressed) {
    const made = element("button", { type: "button", title, onclick }, text);
    if (isPressed) this.updates.push((settings) => made.setAttribute("aria-pressed", String(isPressed(settings))));
    return made;
  }

  side() {
    const made = this.button("", "Which side is left (R)", () => this.viewer.change({ radiological: !this.viewer.settings.radiological }));
    made.className = "side";
    this.updates.push(({ radiological }) => { made.textContent = radiological ? "Radiological" : "Neurological"; });
    return made;
  }

  toggle(text, name, title, needs) {
    const input = element("input", { type: "checkbox", onchange: () => this.viewer.change({ [name]: input.checked }) });
    const label = element("label", { title }, input, text);
    this.updates.push((settings) => {
      input.checked = settings[name];
      label.hidden = Boolean(needs) && !this.viewer.volumes[needs];
    });
    return label;
  }

  legend() {
    const legend = element("span", { class: "legend" }, element("i", { class: "hit" }), "hit", element("i", { class: "alarm" }), "false alarm", element("i", { class: "missed" }), "missed");
    this.updates.push(({ agreement }) => { legend.hidden = !(agreement && this.viewer.volumes.truth); });
    return legend;
  }

  hold(text, title) {
    const set = (flicker) => () => this.viewer.change({ flicker });
    const made = element("button", { type: "button", title, onpointerdown: set(true), onpointerup: set(false), onpointerleave: set(false) }, text);
    this.updates.push(({ flicker }) => {
      made.hidden = !this.viewer.volumes.reconstruction;
      made.setAttribute("aria-pressed", String(flicker));
    });
    return made;
  }

  sliders() {
    const { viewer } = this;
    const slider = (text, read, write, limits) => {
      const input = element("input", { type: "range", min: 0, max: 1000, oninput: () => write(from(input.value / 1000)) });
      const output = element("output");
      const from = (share) => limits()[0] + share * (limits()[1] - limits()[0]);
      this.updates.push(() => {
        const [low, high] = limits();
        input.value = Math.round((1000 * (read() - low)) / (high - low));
        output.textContent = toText(Number(read().toPrecision(3)));
      });
      return element("label", { class: "slider" }, text, input, output);
    };
    const centre = () => (viewer.shades.window().low + viewer.shades.window().high) / 2, width = () => viewer.shades.window().high - viewer.shades.window().low;
    return [
      slider("Opacity", () => viewer.settings.opacity, (opacity) => viewer.change({ opacity }), () => [0, 1]),
      slider("Window", width, (value) => viewer.setWindow(centre(), value), () => [0, 1.5 * viewer.shades.brightest]),
      slider("Level", centre, (value) => viewer.setWindow(value, width()), () => [viewer.shades.darkest, viewer.shades.brightest]),
      this.button("Auto", "1 to 99 % of the brain (W)", () => viewer.change({ window: null })),
    ];
  }

  choices() {
    const { viewer } = this;
    const choice = (text, name, options, isShown) => {
      const select = element("select", { onchange: () => viewer.change({ [name]: select.value }) },
        ...options.map(([value, shown]) => element("option", { value }, shown)));
      const label = element("label", {}, text, select);
      this.updates.push((settings) => {
        select.value = settings[name];
        label.hidden = !isShown();
      });
      return label;
    };
    const hasRarity = () => viewer.volumes.layers.some((layer) => layer.rarity.length > 1);
    return [
      choice("Colours", "colours", Object.keys(viewer.data.colours).map((name) => [name, name]), () => viewer.volumes.layers.some((layer) => !layer.signed)),
      choice("Scale", "scale", [["rarity", "Healthy rarity"], ["own", "Own units"]], hasRarity),
      this.toggle("Same range", "locked", "Methods of one unit share one range and one threshold"),
    ];
  }
}
