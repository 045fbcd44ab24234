// What mouse and keys do, as a list that is opened by "?".

import { element } from "./dom.js";

const HELP = [
  ["Wheel, PageUp, PageDown, − =", "slice"], ["Arrows", "move the crosshair"], ["Click, drag", "put the crosshair"],
  ["Ctrl + wheel, + and Shift −", "zoom"], ["Shift + drag, middle drag", "pan"], ["Right drag", "window and level"],
  ["[ ]", "threshold"], [", .", "opacity"], ["H (hold)", "hide the maps"], ["F (hold)", "flicker to the reconstruction"],
  ["O", "truth outline"], ["T", "true and false positives"], ["R", "radiological or neurological"],
  ["M, then drag", "ruler"], ["E, then drag", "the values in an ellipse"], ["Escape", "leave the tool; all panels again"],
  ["1 to 6", "layout"], ["Drag, arrows in 3-D", "turn the brain"], ["Click a cluster in 3-D", "go to its peak"], ["W", "automatic window"], ["0", "reset the view"], ["Enter", "report the crosshair, as a click"],
];
const TOY_HELP = [
  ["Click", "plant a toy, or choose the one there"], ["Drag a toy", "move it"], ["Drag a white square", "make it larger or smaller"],
  ["Arrows", "move the chosen toy by a voxel"], ["Delete", "take the chosen toy out"], ["Escape", "choose none"],
  ["Ctrl + Z", "undo"], ["Ctrl + Shift + Z, Ctrl + Y", "redo"],
];

/** hasToys: on a page where toys are planted. */
export function helpList(hasToys) {
  const enlarge = [hasToys ? "Double-click on a title" : "Double-click on a panel", "that panel alone, and all again"];
  const lines = [...(hasToys ? TOY_HELP : []), ...HELP, enlarge];
  return element("dl", { class: "help", hidden: true }, ...lines.flatMap(([keys, act]) => [element("dt", {}, keys), element("dd", {}, act)]));
}
