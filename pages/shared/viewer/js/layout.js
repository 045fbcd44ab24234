// How large the panels are.

export const GAP = 6; // px between panels
export const CHROME = 115; // px that a panel's title and colour bar take
const SMALLEST = 150; // px, the least height of a picture

/** Width and height, px, of each of `count` panels' pictures: as many columns as make them largest. aspect: width / height. */
export function panelSize(count, width, height, aspect) {
  const choices = Array.from({ length: count }, (_, at) => {
    const columns = at + 1, rows = Math.ceil(count / columns);
    const wide = (width - GAP * (columns - 1)) / columns, high = (height - GAP * (rows - 1)) / rows - CHROME;
    return { width: Math.floor(wide), height: Math.max(SMALLEST, Math.min(high, wide / aspect)), size: Math.min(wide, high * aspect) };
  });
  return choices.reduce((one, other) => (other.size > one.size ? other : one));
}
