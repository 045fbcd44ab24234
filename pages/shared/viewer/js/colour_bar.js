// A panel's colour bar, which is also its threshold: the mark is dragged along it.

import { colourOf } from "./colours.js";
import { element, toPercent, toText } from "./dom.js";
import { rarityOfValue, valueAtRarity } from "./scale.js";

const WIDTH = 256, STEPS = 1000;
const RARITIES = [[0, "all"], [1, "1/10"], [2, "1/100"], [3, "1/1000"]];

/** Under the scan alone: the window, from black to white. */
export class WindowBar {
  constructor(viewer) {
    this.viewer = viewer;
    this.ends = [element("span", { class: "first" }), element("span", { class: "last", style: { left: "100%" } })];
    this.root = element("div", { class: "colour-bar" }, element("div", { class: "track greys" }), element("div", { class: "ticks" }, ...this.ends), element("div", { class: "unit" }, "intensity"));
  }

  draw() {
    const { low, high } = this.viewer.shades.window();
    this.ends[0].textContent = toText(Number(low.toPrecision(3)));
    this.ends[1].textContent = toText(Number(high.toPrecision(3)));
  }
}

export class ColourBar {
  constructor(viewer, at) {
    this.viewer = viewer;
    this.at = at;
    this.canvas = element("canvas", { width: WIDTH, height: 1, "aria-hidden": "true" });
    this.mark = element("input", {
      type: "range", min: 0, max: STEPS, step: 1, class: "threshold",
      oninput: () => viewer.setThreshold(at, (this.mark.value / STEPS) * this.high),
      onchange: () => viewer.reportThresholds(),
    });
    this.track = element("div", { class: "track" }, this.canvas, this.mark);
    this.ticks = element("div", { class: "ticks" });
    this.end = element("input", { type: "number", class: "end", min: 0, step: "any", "aria-label": "Upper end of the colours", onchange: () => this.setEnd() });
    this.unit = element("div", { class: "unit" });
    this.note = element("div", { class: "note" });
    this.root = element("div", { class: "colour-bar" }, this.track, this.ticks, this.unit, this.note);
  }

  setEnd() {
    if (this.end.valueAsNumber > 0) this.viewer.setHigh(this.at, this.end.valueAsNumber);
    else this.end.value = this.high;
  }

  /** shade: the map's scale, colours, threshold, high and share, from `Shades.of`. */
  draw(volume, shade) {
    const { scale, threshold, high, colours, fadedBy } = shade;
    const drawn = [scale, threshold, high, colours, fadedBy];
    if (this.drawn?.every((one, at) => one === drawn[at])) return;
    this.drawn = drawn;
    this.high = high;
    this.paint(shade);
    this.track.classList.toggle("signed", scale.signed);
    this.mark.value = Math.round((threshold / high) * STEPS);
    this.mark.setAttribute("aria-label", `Threshold of ${volume.name}`);
    this.mark.setAttribute("aria-valuetext", this.thresholdText(volume, shade));
    this.note.title = volume.about ?? "";
    const key = JSON.stringify([scale.unit, scale.signed, high, fadedBy]);
    if (key !== this.key) this.label(scale, high, fadedBy);
    this.key = key;
    this.note.replaceChildren(...this.thresholdText(volume, shade).split(": ").map((line) => element("div", {}, line)));
  }

  paint({ scale, colours, threshold, high }) {
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(WIDTH, 1), pixels = new Uint32Array(image.data.buffer);
    for (let x = 0; x < WIDTH; x += 1) {
      const share = x / (WIDTH - 1), value = scale.signed ? (2 * share - 1) * high : share * high;
      const shown = (scale.signed ? Math.abs(value) : value) > threshold;
      pixels[x] = shown ? colourOf(colours, value, high, scale.signed) : 0xff3a3a3a;
    }
    context.putImageData(image, 0, 0);
  }

  label(scale, high, fadedBy) {
    const rarities = scale.signed ? RARITIES.filter(([rarity]) => rarity !== 2) : RARITIES;
    const texts = scale.isRarity ? rarities.map(([rarity, text]) => [(rarity / scale.top) * 100, text]) : [[0, "0"], [50, toText(high / 2)]];
    const placed = (percent, ...content) => element("span", { style: { left: `${percent}%` }, class: percent === 0 ? "first" : percent === 100 ? "last" : percent > 60 ? "near" : "" }, ...content);
    const positions = scale.signed ? texts.flatMap(([percent, text]) =>
      (percent === 0 ? [[50, text]] : [[50 - percent / 2, `−${text}`], ...(scale.isRarity ? [[50 + percent / 2, `+${text}`]] : [])])) : texts;
    this.end.value = high;
    const unit = scale.isRarity ? `share of healthy voxels so ${scale.signed ? "far from 0" : "high"}` : scale.unit;
    this.unit.textContent = fadedBy ? `opacity by ${fadedBy}; ${unit}` : unit;
    this.unit.title = fadedBy ? `Clear up to the threshold of ${fadedBy}, opaque where 1/1000 of healthy voxels are as rare` : "";
    const ticks = positions.map(([percent, text]) => placed(percent, text));
    this.ticks.replaceChildren(...ticks, ...(scale.isRarity ? [] : [placed(100, this.end)]));
  }

  thresholdText(volume, { scale, threshold, share: marked }) {
    const value = scale.isRarity ? valueAtRarity(volume.rarity, threshold, scale.top) : threshold;
    const rarity = scale.isRarity ? threshold : volume.rarity.length > 1 && rarityOfValue(volume.rarity, threshold, scale.top);
    const share = (top) => (rarity > top + 1e-9 ? `under ${toPercent(10 ** -top)}` : toPercent(10 ** -rarity));
    const healthy = rarity === false ? "" : `, healthy ${share(scale.top)}`;
    return `Above ${scale.signed ? "±" : ""}${toText(value)} ${volume.unit}: here ${toPercent(marked)}${healthy}`;
  }
}
