// The keyboard: what each key does, as named in the help of help.js.

import { PLANES } from "./geometry.js";

const LAYOUT_KEYS = {
  1: { layout: "single", plane: "axial" }, 2: { layout: "single", plane: "coronal" }, 3: { layout: "single", plane: "sagittal" },
  4: { layout: "planes" }, 5: { layout: "mosaic" }, 6: { layout: "solid" },
};

/** The change that a pressed key asks of the viewer, or undefined. */
function actOf(event, viewer) {
  const { settings } = viewer;
  const plane = PLANES[settings.plane];
  const right = plane.across === 1 || settings.radiological ? -1 : 1;
  const acts = {
    PageUp: () => viewer.step(plane.through, 1), "=": () => viewer.step(plane.through, 1),
    PageDown: () => viewer.step(plane.through, -1), "-": () => viewer.step(plane.through, -1),
    ArrowUp: () => viewer.step(plane.up, 1), ArrowDown: () => viewer.step(plane.up, -1),
    ArrowRight: () => viewer.step(plane.across, right), ArrowLeft: () => viewer.step(plane.across, -right),
    "+": () => viewer.zoomAt(plane, null, 1.25), _: () => viewer.zoomAt(plane, null, 0.8),
    "[": () => viewer.stepThreshold(-1), "]": () => viewer.stepThreshold(1),
    ",": () => viewer.change({ opacity: Math.max(0, settings.opacity - 0.05) }),
    ".": () => viewer.change({ opacity: Math.min(1, settings.opacity + 0.05) }),
    o: () => viewer.change({ outline: !settings.outline }), t: () => viewer.change({ agreement: !settings.agreement }),
    r: () => viewer.change({ radiological: !settings.radiological }), w: () => viewer.change({ window: null }),
    Escape: settings.enlarged === null ? undefined : () => viewer.change({ enlarged: null }),
    m: () => viewer.change({ tool: settings.tool === "ruler" ? null : "ruler" }),
    e: () => viewer.change({ tool: settings.tool === "region" ? null : "region" }),
    0: () => viewer.reset(), Enter: () => viewer.report(true),
    f: () => viewer.change({ flicker: true }), h: () => viewer.change({ hidden: true }),
  };
  if (event.key in LAYOUT_KEYS) return () => viewer.change(LAYOUT_KEYS[event.key]);
  return acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

const TURNS = { ArrowUp: [0, -5], ArrowDown: [0, 5], ArrowRight: [5, 0], ArrowLeft: [-5, 0] }; // degrees

/** In 3-D the arrows turn the brain. */
function turnOf({ key }, viewer) {
  return viewer.settings.layout === "solid" && key in TURNS ? () => viewer.turn(...TURNS[key]) : undefined;
}

/** Escape puts a tool down before it does anything else. */
function toolDown({ key }, viewer) {
  if (key !== "Escape" || viewer.settings.tool === null) return undefined;
  return () => {
    viewer.measures.cancel();
    viewer.change({ tool: null });
  };
}

export function listenToKeys(viewer) {
  const isForControl = ({ target, key }) =>
    target.matches("select, input:not([type=checkbox])") || (target !== viewer.root && key === "Enter");
  viewer.root.addEventListener("keydown", (event) => {
    if (!viewer.data || event.ctrlKey || event.metaKey || event.altKey || isForControl(event)) return;
    const act = toolDown(event, viewer) ?? turnOf(event, viewer) ?? viewer.toys.actOf(event) ?? actOf(event, viewer);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  viewer.root.addEventListener("blur", () => viewer.data && viewer.change({ flicker: false, hidden: false }));
  viewer.root.addEventListener("keyup", (event) => {
    if (!viewer.data) return;
    if (event.key.toLowerCase() === "f") viewer.change({ flicker: false });
    if (event.key.toLowerCase() === "h") viewer.change({ hidden: false });
    if (event.key === "[" || event.key === "]") viewer.reportThresholds();
  });
}
