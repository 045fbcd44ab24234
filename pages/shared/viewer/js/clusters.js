// Connected parts of a block grid above a level, as vaead_core.measures.components has them of a map: blocks that share a face.

/** The `most` largest, largest first, each with its blocks and the one with its peak; and how many there are in all. */
export function clustersAbove({ strides }, values, level, most) {
  const seen = new Uint8Array(values.length), found = [];
  const steps = [...strides, ...strides.map((step) => -step)];
  for (let start = 0; start < values.length; start += 1) {
    if (values[start] <= level || seen[start]) continue;
    const cells = [start];
    let peak = start;
    seen[start] = 1;
    for (let at = 0; at < cells.length; at += 1) {
      if (values[cells[at]] > values[peak]) peak = cells[at];
      for (const step of steps) {
        const next = cells[at] + step;
        if (values[next] <= level || seen[next]) continue;
        seen[next] = 1;
        cells.push(next);
      }
    }
    found.push({ cells, peak });
  }
  return { count: found.length, largest: found.sort((one, other) => other.cells.length - one.cells.length).slice(0, most) };
}
