// How large the panels are.

export const GAP = 6; // px between panels
export const CHROME = 115; // px that a panel's title and colour bar take
const SMALLEST = 150; // px, the least height of a picture
const AS_LARGE = 0.85; // of the largest picture there could be: among such, panels are shaped most like what they show

/**
 * Panels that fill the room, px: each one's width, `height` of their pictures, `narrowest` width, `size` of what it shows at zoom 1.
 * aspect: width / height of that. A last row with fewer panels has wider ones.
 */
export function panelSizes(count, width, height, aspect) {
  const wide = (columns) => Math.floor((width - GAP * (columns - 1)) / columns);
  const choices = Array.from({ length: count }, (_, at) => {
    const columns = Math.ceil(count / (at + 1)), rows = Math.ceil(count / columns), narrowest = wide(columns);
    const high = Math.floor((height - GAP * (rows - 1)) / rows) - CHROME;
    const widths = Array.from({ length: count }, (_unused, one) => wide(Math.min(columns, count - columns * Math.floor(one / columns))));
    return { widths, narrowest, height: Math.max(SMALLEST, high), size: Math.min(narrowest, high * aspect) };
  });
  const largest = Math.max(...choices.map(({ size }) => size)), enough = Math.min(AS_LARGE * largest, largest);
  const strain = ({ narrowest, height: high }) => Math.abs(Math.log(narrowest / high / aspect));
  return choices.filter(({ size }) => size >= enough).reduce((one, other) => (strain(other) < strain(one) ? other : one));
}
