// Crosshair and thresholds go where Python newly put them; a viewer that comes back tells Python where they were left.

export function follow(viewer, data, isFirst) {
  const { settings } = viewer;
  if (settings.subject !== data.subject) Object.assign(settings, { subject: data.subject, zoom: 1, centre: null, window: null, measures: [] });
  if (settings.after !== data.after) Object.assign(settings, { after: data.after, cursor: data.cursor });
  else if (isFirst && settings.reported) viewer.report(false);
  reach(viewer, data.thresholds);
  if (settings.afterThresholds !== data.afterThresholds) followThresholds(viewer, data);
  else if (isFirst && Object.keys(settings.thresholds).length > 0) viewer.reportThresholds();
}

/** Colours in own units reach as far as the thresholds that Python gave. */
function reach(viewer, thresholds) {
  viewer.volumes.layers.forEach(({ name }, at) => {
    const { scale, high } = viewer.shades.of(at);
    if (!scale.isRarity && thresholds[name] > high) viewer.setHigh(at, Number((1.2 * thresholds[name]).toPrecision(3)));
  });
}

/** Only those that Python moved, so that of maps that share one the others follow; it hears where that is not what it gave. */
function followThresholds(viewer, { thresholds, afterThresholds }) {
  const { volumes: { layers }, shades, settings } = viewer, before = settings.given ?? {};
  Object.assign(settings, { afterThresholds, given: thresholds });
  layers.forEach(({ name }, at) => {
    if (name in thresholds && thresholds[name] !== before[name]) viewer.setThreshold(at, shades.toShown(at, thresholds[name]));
  });
  const isOff = ({ name }, at) => Math.abs(shades.ownThreshold(at) - thresholds[name]) > 1e-6 * Math.abs(thresholds[name]);
  if (layers.some((layer, at) => layer.name in thresholds && isOff(layer, at))) viewer.reportThresholds();
}
