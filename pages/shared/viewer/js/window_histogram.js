// The brain's intensities as a histogram, and the window over it: its ends are dragged, or moved by the arrow keys.

import { element, setText, svg, toText } from "./dom.js";
import { histogramOf, intensityAxis, withEnd } from "./histogram.js";

const BINS = 64, HEIGHT = 24;
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }; // hundredths of the axis

export class WindowHistogram {
  constructor(viewer) {
    this.viewer = viewer;
    this.bars = svg("path", { class: "bars" });
    this.ramp = svg("polyline", { class: "ramp" });
    this.handles = { low: this.handle("low", "Intensity shown black"), high: this.handle("high", "Intensity shown white") };
    this.said = element("output");
    const drawing = svg("svg", { viewBox: `0 0 ${BINS} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, this.bars, this.ramp);
    this.root = element("div", { class: "histogram", title: "The brain's intensities; drag the ends of the window, or between them" }, drawing, ...Object.values(this.handles));
    this.root.addEventListener("pointerdown", (event) => this.drag(event, this.root, (from, value) => {
      viewer.change({ window: { low: from.low + value, high: from.high + value } });
    }));
  }

  handle(end, name) {
    const made = element("div", { class: "handle", role: "slider", tabindex: 0, "aria-label": name, title: `${name}: drag it, or arrow keys` });
    made.addEventListener("pointerdown", (event) => this.drag(event, made, (from, value) => this.move(end, from[end] + value)));
    made.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS)) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(end, this.viewer.shades.window()[end] + (KEYS[event.key] * (this.axis.high - this.axis.low)) / 100);
    });
    return made;
  }

  move(end, value) {
    this.viewer.change({ window: withEnd(this.viewer.shades.window(), end, value, this.axis) });
  }

  /** Follows the pointer until it is let go. pull: given the window as it was, and the travel in intensities. */
  drag(event, target, pull) {
    event.stopPropagation();
    target.setPointerCapture(event.pointerId);
    const from = this.viewer.shades.window(), start = event.clientX;
    const perPixel = (this.axis.high - this.axis.low) / this.root.clientWidth;
    target.onpointermove = ({ clientX }) => pull(from, (clientX - start) * perPixel);
    target.onpointerup = target.onpointercancel = () => { target.onpointermove = null; };
  }

  draw() {
    const { shades, volumes } = this.viewer, { low, high } = shades.window();
    const drawn = [shades.brain, low, high];
    if (this.drawn?.every((one, at) => one === drawn[at])) return;
    if (this.drawn?.[0] !== shades.brain) this.count(shades.brain, volumes.scan.step);
    this.drawn = drawn;
    const places = [low, high].map((value) => (value - this.axis.low) / (this.axis.high - this.axis.low));
    this.ramp.setAttribute("points", [[0, HEIGHT], [places[0] * BINS, HEIGHT], [places[1] * BINS, 0], [BINS, 0]].join(" "));
    for (const [at, [end, value]] of Object.entries({ low, high }).entries()) this.show(this.handles[end], places[at], value);
    setText(this.said, `${toText(Number(low.toPrecision(3)))} to ${toText(Number(high.toPrecision(3)))}`);
  }

  show(handle, place, value) {
    handle.style.left = `${100 * Math.max(0, Math.min(1, place))}%`;
    const told = { "aria-valuemin": this.axis.low, "aria-valuemax": this.axis.high, "aria-valuenow": value, "aria-valuetext": toText(Number(value.toPrecision(3))) };
    for (const [name, one] of Object.entries(told)) handle.setAttribute(name, one);
  }

  count(counts, step) {
    this.axis = intensityAxis(counts, step);
    const found = histogramOf(counts, step, this.axis, BINS), most = Math.max(...found);
    const tops = found.map((one, at) => `V${(HEIGHT * (1 - one / most)).toFixed(2)}H${at + 1}`);
    this.bars.setAttribute("d", `M0 ${HEIGHT}${tops.join("")}V${HEIGHT}Z`);
  }
}
