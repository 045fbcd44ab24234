// How scan and maps are shaded under the reader's settings: windows, scales, thresholds, colour tables.

import { divergingRamp, ramp } from "./colours.js";
import { Scale, rarityOfValue, valueAtRarity } from "./scale.js";
import { groupOf, rangeOf } from "./settings.js";
import { agreementTables, greyTable, mapTable, opacityTable, shareAbove } from "./shading.js";
import { quantile } from "./volume.js";

export class Shades {
  /** rarity: the first threshold and the top of the rarity scale. colours: name → stops. tables: of volumes of the same scales. */
  constructor({ rarity, colours }, volumes, settings, tables = new Map()) {
    Object.assign(this, { rarity, volumes, settings, tables });
    this.ramps = Object.fromEntries(Object.entries(colours).map(([name, stops]) => [name, ramp(stops)]));
    this.brain = volumes.scan.countWhere(volumes.scan);
    this.counts = volumes.layers.map((layer) => layer.countWhere(layer.base ?? volumes.scan));
    this.darkest = this.intensity(0);
    this.brightest = this.intensity(1);
  }

  /** A table made anew only when what it depends on has changed. */
  table(name, depends, make) {
    const key = JSON.stringify(depends), known = this.tables.get(name);
    if (known?.key === key) return known.made;
    const made = make();
    this.tables.set(name, { key, made });
    return made;
  }

  /** The intensity that a share of the brain does not exceed. */
  intensity(share) {
    return quantile(this.brain, share) * this.volumes.scan.step;
  }

  /** The intensities shown black and white: the reader's, or 1 and 99 % of the brain. */
  window() {
    return this.settings.window ?? this.table("window", [], () => ({ low: this.intensity(0.01), high: this.intensity(0.99) }));
  }

  greys(volume) {
    const { low, high } = this.window();
    return this.table(`greys ${volume.digest}`, [low, high], () => greyTable(volume, { low, high }));
  }

  /** Layer `at`: its scale, groups of threshold and of range, colours, threshold, upper end, the share of the brain it marks, and by which map it fades. */
  of(at) {
    const { settings } = this;
    const volume = this.volumes.layers[at], scale = this.scaleOf(at), group = groupOf(settings, scale, volume), range = rangeOf(settings, scale, volume);
    const high = settings.high[range] ?? this.firstHigh(at);
    const threshold = Math.min(settings.thresholds[group] ?? this.firstThreshold(at), scale.isRarity ? Infinity : high);
    const colours = volume.signed ? divergingRamp : this.ramps[settings.colours];
    const share = this.table(`share ${at}`, [settings.scale, threshold], () => shareAbove(scale, this.counts[at], threshold));
    const fadedBy = settings.agreement && this.volumes.truth ? "" : settings.fade;
    return { volume, scale, group, range, high, threshold, colours, share, fadedBy };
  }

  /** Layer `at` as pixels: its volume and a table, and how it fades; or two tables against the truth. */
  map(at) {
    const { volume, scale, colours, threshold, high } = this.of(at);
    const { agreement, scale: kind, colours: name } = this.settings;
    if (agreement && this.volumes.truth) {
      return { volume, ...this.table(`agreement ${at}`, [kind, threshold], () => agreementTables(scale, threshold)) };
    }
    const outside = this.table(`map ${at}`, [kind, threshold, high, name], () => mapTable(scale, colours, threshold, high));
    return { volume, outside, fade: this.fade() };
  }

  /** The map that says how opaque all are, with a table for its codes; null where all are equally so. */
  fade() {
    const at = this.volumes.layers.findIndex(({ name, rarity }) => name === this.settings.fade && rarity.length > 1);
    if (at < 0) return null;
    const { volume, scale, threshold } = this.of(at), { top } = this.rarity;
    const from = scale.isRarity ? threshold : rarityOfValue(volume.rarity, threshold, top);
    return this.table("fade", [volume.digest, at, from], () => (
      { volume, alphas: opacityTable(new Scale(volume, "rarity", top).table, from, top) }));
  }

  scaleOf(at) {
    return this.table(`scale ${at}`, [this.settings.scale], () => new Scale(this.volumes.layers[at], this.settings.scale, this.rarity.top));
  }

  /** The places of the layers that share what `groupOf` or `rangeOf` tells of with layer `at`. */
  sharing(at, told = groupOf) {
    const group = (one) => told(this.settings, this.scaleOf(one), this.volumes.layers[one]);
    return this.volumes.layers.map((_, one) => one).filter((one) => group(one) === group(at));
  }

  firstHigh(at) {
    return Math.max(...this.sharing(at, rangeOf).map((one) => this.table(`high ${one}`, [this.settings.scale], () =>
      this.scaleOf(one).firstHigh(this.volumes.layers[one], this.counts[one]))));
  }

  firstThreshold(at) {
    const [first] = this.sharing(at), scale = this.scaleOf(first), volume = this.volumes.layers[first];
    if (scale.isRarity) return this.rarity.threshold;
    if (volume.rarity.length > 1) return valueAtRarity(volume.rarity, this.rarity.threshold, this.rarity.top);
    return scale.quantile(volume, this.counts[first], 0.95);
  }

  /** The threshold of layer `at` in its own unit. */
  ownThreshold(at) {
    const { volume, scale, threshold } = this.of(at);
    return scale.isRarity ? valueAtRarity(volume.rarity, threshold, scale.top) : threshold;
  }

  /** What an own value of layer `at` is on the scale that is shown. */
  toShown(at, value) {
    const { volume, scale } = this.of(at);
    return scale.isRarity ? rarityOfValue(volume.rarity, value, scale.top) : value;
  }
}
