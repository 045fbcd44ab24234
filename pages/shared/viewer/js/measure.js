// What is measured in a plane: lengths, and the values in an ellipse. Points are [u, v], voxels along the plane's two axes.

/** The vectors in mm of a voxel's step along each of the plane's axes. */
function stepsOf({ across, up }, affine) {
  return [across, up].map((axis) => [0, 1, 2].map((row) => affine[row][axis]));
}

/** mm from one point to another. */
export function lengthMm(plane, affine, from, to) {
  const [right, upward] = stepsOf(plane, affine), [du, dv] = [to[0] - from[0], to[1] - from[1]];
  return Math.hypot(...right.map((mm, at) => du * mm + dv * upward[at]));
}

/** mm² that a voxel covers. */
export function pixelMm2(plane, affine) {
  const [[a, b, c], [d, e, f]] = stepsOf(plane, affine);
  return Math.hypot(b * f - c * e, c * d - a * f, a * e - b * d);
}

/** The ellipse in the rectangle between two corners: its middle and half its extent. */
export function ellipseIn(from, to) {
  return { middle: [0, 1].map((at) => (from[at] + to[at]) / 2), half: [0, 1].map((at) => Math.abs(to[at] - from[at]) / 2) };
}

/** The voxels of slice `index` whose middles lie in an ellipse, [i, j, k] each. */
export function voxelsIn({ middle, half }, { across, up, through }, index, shape) {
  const range = (at, axis) => {
    const low = Math.max(0, Math.ceil(middle[at] - half[at])), high = Math.min(shape[axis] - 1, Math.floor(middle[at] + half[at]));
    return Array.from({ length: Math.max(0, high - low + 1) }, (_, one) => low + one);
  };
  const share = (value, at) => (half[at] === 0 ? 0 : (value - middle[at]) / half[at]);
  const found = [];
  for (const v of range(1, up)) for (const u of range(0, across)) {
    if (share(u, 0) ** 2 + share(v, 1) ** 2 > 1) continue;
    const voxel = [0, 0, 0];
    [voxel[across], voxel[up], voxel[through]] = [u, v, index];
    found.push(voxel);
  }
  return found;
}

/** Of one value or more; sd: over n − 1, null for one. */
export function statistics(values) {
  const n = values.length, mean = values.reduce((sum, value) => sum + value, 0) / n;
  const sd = n > 1 ? Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)) : null;
  return { n, mean, sd, min: Math.min(...values), max: Math.max(...values) };
}
