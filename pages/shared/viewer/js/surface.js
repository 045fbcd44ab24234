// A closed surface around blocks: a point in each cube of eight block middles that it passes, as surface nets place them (Gibson 1998).

const NEAREST = 0.05; // of the way between two middles, so that no triangle is flat

/**
 * parts: groups of blocks, each block's value above the level; what surrounds them counts as below it.
 * points, in blocks: x, y, z one after the other; normals the same, outward; triangles: three points each; owners: of each point,
 * its group's number from 1 on.
 */
export function surfaceAround({ strides, shape }, values, level, parts) {
  const owner = new Uint8Array(values.length), pointOf = new Int32Array(values.length);
  parts.forEach(({ cells }, at) => { for (const cell of cells) owner[cell] = at + 1; });
  const points = [], owners = [], triangles = [];
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => [corner & 1, (corner >> 1) & 1, corner >> 2]);
  const offsets = corners.map((corner) => corner.reduce((sum, one, axis) => sum + one * strides[axis], 0));
  const edges = corners.flatMap((corner, from) => [0, 1, 2].filter((axis) => corner[axis] === 0).map((axis) => ({ from, to: from | (1 << axis), axis })));

  const place = (cube) => {
    const sum = [0, 0, 0];
    let crossed = 0, own = 0;
    for (let at = 0; at < edges.length; at += 1) {
      const { from, to, axis } = edges[at], a = owner[cube + offsets[from]], b = owner[cube + offsets[to]];
      if (a > 0 === b > 0) continue;
      const inner = a > 0 ? from : to, outer = a > 0 ? to : from;
      const above = values[cube + offsets[inner]] - level, below = Math.max(0, level - values[cube + offsets[outer]]);
      const share = Math.max(NEAREST, Math.min(1 - NEAREST, above / (above + below)));
      for (let one = 0; one < 3; one += 1) sum[one] += corners[from][one];
      sum[axis] += a > 0 ? share : 1 - share;
      own = Math.max(own, a, b);
      crossed += 1;
    }
    points.push((cube % shape[0]) + sum[0] / crossed, (Math.floor(cube / strides[1]) % shape[1]) + sum[1] / crossed, Math.floor(cube / strides[2]) + sum[2] / crossed);
    owners.push(own);
    pointOf[cube] = owners.length;
  };
  const point = (cube) => {
    if (pointOf[cube] === 0) place(cube);
    return pointOf[cube] - 1;
  };
  const close = (first, axis, isUpward) => { // the square of the four cubes about the edge that begins at a block
    const [b, c] = [strides[(axis + 1) % 3], strides[(axis + 2) % 3]];
    const p = point(first - b - c), r = point(first), [q, s] = isUpward ? [point(first - c), point(first - b)] : [point(first - b), point(first - c)];
    triangles.push(p, q, r, p, r, s);
  };
  for (const { cells } of parts) for (const cell of cells) for (let axis = 0; axis < 3; axis += 1) {
    if (owner[cell + strides[axis]] === 0) close(cell, axis, true);
    if (owner[cell - strides[axis]] === 0) close(cell - strides[axis], axis, false);
  }
  return { points: Float32Array.from(points), owners: Float32Array.from(owners), triangles: Uint32Array.from(triangles) };
}

/** Outward normals of unit length at each point, from the triangles about it. */
export function normalsOf({ points, triangles }) {
  const normals = new Float32Array(points.length);
  for (let at = 0; at < triangles.length; at += 3) {
    const p = 3 * triangles[at], q = 3 * triangles[at + 1], r = 3 * triangles[at + 2];
    const a0 = points[q] - points[p], a1 = points[q + 1] - points[p + 1], a2 = points[q + 2] - points[p + 2];
    const b0 = points[r] - points[p], b1 = points[r + 1] - points[p + 1], b2 = points[r + 2] - points[p + 2];
    const across0 = a1 * b2 - a2 * b1, across1 = a2 * b0 - a0 * b2, across2 = a0 * b1 - a1 * b0;
    for (let one = at; one < at + 3; one += 1) {
      const point = 3 * triangles[one];
      normals[point] += across0;
      normals[point + 1] += across1;
      normals[point + 2] += across2;
    }
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at], normals[at + 1], normals[at + 2]) || 1;
    for (let axis = 0; axis < 3; axis += 1) normals[at + axis] /= length;
  }
  return normals;
}
