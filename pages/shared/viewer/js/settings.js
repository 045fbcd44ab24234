// What the reader chose. Kept for each viewer while the browser's tab lives, so another page and back changes nothing.

const remembered = new Map();

const FIRST = {
  layout: "single", plane: "axial", radiological: true, cursor: [0, 0, 0], zoom: 1, centre: null, window: null, enlarged: null, turn: { yaw: 35, pitch: 20 }, tool: null, opacity: 0.75, fade: "",
  colours: "Inferno", scale: "rarity", locked: true, scanPanel: true, smooth: true,
  outline: true, agreement: false, flicker: false, hidden: false, acted: 0, previewed: 0,
};

/** linked: whether maps at first share range and threshold. */
export function settingsOf(key, linked = true) {
  if (!remembered.has(key)) remembered.set(key, { ...FIRST, locked: linked, high: {}, thresholds: {}, acts: [], measures: [] });
  return remembered.get(key);
}

/** Maps that share one range and threshold have one group: those of one unit, or each its own when not locked. */
export function groupOf(settings, scale, volume) {
  return settings.locked ? scale.unit : `${scale.unit}\n${volume.name}`;
}

/** The same of the range alone: maps that are a pair have one, wherever their thresholds lie. */
export function rangeOf(settings, scale, volume) {
  return volume.isPaired ? `${scale.unit}\npair` : groupOf(settings, scale, volume);
}
