// Colour tables as packed pixels, the way ImageData keeps them (red in the lowest byte).

export const packed = (red, green, blue, alpha = 255) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;

export const CLEAR = 0;

/** A colour as opaque as `alpha`, 0 to 255; what is clear stays so. */
export const withAlpha = (colour, alpha) => (colour === CLEAR ? CLEAR : ((colour & 0xffffff) | (alpha << 24)) >>> 0);

export const HIT = packed(86, 180, 233);
export const FALSE_ALARM = packed(230, 97, 0);
export const MISSED = packed(240, 228, 66);
export const OUTLINE = "#7dffb2";
export const OUTLINE_RGB = [0.49, 1, 0.7];

// Blue below zero, orange above, dark at zero: told apart without colour vision, equally bright at equal distance.
const DIVERGING = [
  [0.72, 0.9, 1], [0.3, 0.66, 0.98], [0.12, 0.42, 0.78], [0.08, 0.2, 0.4], [0.1, 0.1, 0.1],
  [0.42, 0.18, 0.06], [0.8, 0.36, 0.08], [0.98, 0.62, 0.25], [1, 0.88, 0.68],
];
const SIZE = 512;

/** SIZE packed colours through `stops` ([red, green, blue], 0 to 1), evenly spaced. */
export function ramp(stops) {
  return Uint32Array.from({ length: SIZE }, (_, at) => {
    const place = (at / (SIZE - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    const mix = (channel) => Math.round(255 * (stops[low][channel] + (place - low) * (stops[low + 1][channel] - stops[low][channel])));
    return packed(mix(0), mix(1), mix(2));
  });
}

export const divergingRamp = ramp(DIVERGING);

/** The colour of a shown value: 0 to high for sequential maps, −high to high for signed ones. */
export function colourOf(colours, value, high, signed) {
  const share = signed ? 0.5 + value / (2 * high) : value / high;
  return colours[Math.max(0, Math.min(SIZE - 1, Math.round(share * (SIZE - 1))))];
}
