// The kinds of control in the tool bar. Each shows the settings, and only the viewer changes them.

import { element, toText } from "./dom.js";
import { icon } from "./icons.js";

const SLIDER_STEPS = 1000; // of a slider

export class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.updates = []; // what brings each control in line with the settings
  }

  show(settings) {
    for (const update of this.updates) update(settings);
  }

  /** Controls that belong together, under their name; gone where all of them are. */
  group(name, ...controls) {
    const row = element("div", { class: "row" }, ...controls);
    const made = element("div", { class: "group", role: "group", "aria-label": name }, element("span", { class: "name", "aria-hidden": "true" }, name), row);
    this.updates.push(() => { made.hidden = controls.every((one) => one.hidden); });
    return made;
  }

  /** face: an icon, or a text. title: what it does, and its key. isPressed: of the settings, for one that stays down. */
  button(name, face, title, onclick, isPressed) {
    const made = element("button", { type: "button", class: "tool", title, "aria-label": name, onclick }, face);
    if (isPressed) this.updates.push((settings) => made.setAttribute("aria-pressed", String(isPressed(settings))));
    return made;
  }

  /** On while it is held. */
  hold(name, face, title, setting, isShown) {
    const set = (value) => () => this.viewer.change({ [setting]: value });
    const made = this.button(name, face, title, undefined, (settings) => settings[setting]);
    for (const [event, value] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false]]) made.addEventListener(event, set(value));
    this.updates.push(() => { made.hidden = !isShown(); });
    return made;
  }

  toggle(name, face, title, setting, isShown = () => true) {
    const input = element("input", { type: "checkbox", "aria-label": name, onchange: () => this.viewer.change({ [setting]: input.checked }) });
    const label = element("label", { class: "tool", title }, input, face);
    this.updates.push((settings) => {
      input.checked = settings[setting];
      label.hidden = !isShown();
    });
    return label;
  }

  /** read, write: a number within limits(). */
  slider(name, face, title, read, write, limits, isShown = () => true) {
    const from = (share) => limits()[0] + share * (limits()[1] - limits()[0]);
    const input = element("input", { type: "range", min: 0, max: SLIDER_STEPS, "aria-label": name, oninput: () => write(from(input.value / SLIDER_STEPS)) });
    const output = element("output"), label = element("label", { class: "slider", title }, face, input, output);
    this.updates.push(() => {
      const [low, high] = limits();
      input.value = Math.round((SLIDER_STEPS * (read() - low)) / (high - low));
      output.textContent = toText(Number(read().toPrecision(3)));
      label.hidden = !isShown();
    });
    return label;
  }

  /** options: value → what is shown of it. */
  choice(name, title, setting, options, isShown) {
    const made = element("select", { title, "aria-label": name, onchange: () => this.viewer.change({ [setting]: made.value }) },
      ...Object.entries(options).map(([value, shown]) => element("option", { value }, shown)));
    this.updates.push((settings) => {
      made.value = settings[setting];
      made.hidden = !isShown();
    });
    return made;
  }

  /** A choice behind an icon, which stays down while anything but "" is chosen. */
  menu(name, face, title, setting, options, isShown) {
    const made = element("label", { class: "tool", title }, this.choice(name, title, setting, options, isShown), face);
    this.updates.push((settings) => {
      made.classList.toggle("on", settings[setting] !== "");
      made.hidden = !isShown();
    });
    return made;
  }
}
