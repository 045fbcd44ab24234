// Planes and coordinates of a volume in RAS+ order: axis 0 to the patient's right, 1 to anterior, 2 to superior.

export const PLANES = {
  axial: { name: "Axial", across: 0, up: 1, through: 2 },
  coronal: { name: "Coronal", across: 0, up: 2, through: 1 },
  sagittal: { name: "Sagittal", across: 1, up: 2, through: 0 },
};
const ENDS = [["L", "R"], ["P", "A"], ["I", "S"]];

/** Whether the axis across the screen runs to the left: always in sagittal views, where anterior is on the left. */
export function isMirrored(plane, radiological) {
  return plane.across === 1 || radiological;
}

/** The patient's side at each edge of the screen. */
export function letters(plane, radiological) {
  const [low, high] = ENDS[plane.across];
  const [bottom, top] = ENDS[plane.up];
  const mirrored = isMirrored(plane, radiological);
  return { left: mirrored ? high : low, right: mirrored ? low : high, top, bottom };
}

/** (4, 4) matrix times (x, y, z, 1). */
export function transform(matrix, point) {
  return [0, 1, 2].map((row) =>
    matrix[row][0] * point[0] + matrix[row][1] * point[1] + matrix[row][2] * point[2] + matrix[row][3]);
}

/** Edge lengths of a voxel, mm. */
export function spacing(affine) {
  return [0, 1, 2].map((axis) => Math.hypot(affine[0][axis], affine[1][axis], affine[2][axis]));
}

/** The largest angle between a voxel axis and its anatomical axis, degrees. */
export function obliquity(affine) {
  const lengths = spacing(affine);
  const cosines = [0, 1, 2].map((axis) => Math.abs(affine[axis][axis]) / lengths[axis]);
  return Math.acos(Math.min(1, ...cosines)) * 180 / Math.PI;
}

/**
 * How voxels of a plane lie in a frame {x, y, width, height} of the screen, px; `fit`, if any, is the width that zoom 1 keeps to.
 * box: {low, high} voxels that zoom 1 fits; centre: the voxel in the frame's middle.
 */
export class Projection {
  constructor(plane, frame, grid, box, { zoom, centre, radiological }) {
    const { across, up } = plane;
    const [width, height] = [across, up].map((axis) => 1.04 * (box.high[axis] - box.low[axis] + 1) * grid.spacing[axis]);
    this.plane = plane;
    this.frame = frame;
    this.mirrored = isMirrored(plane, radiological);
    this.pixelsPerMm = zoom * Math.min((frame.fit ?? frame.width) / width, frame.height / height);
    this.stepX = grid.spacing[across] * this.pixelsPerMm;
    this.stepY = grid.spacing[up] * this.pixelsPerMm;
    this.middle = [centre[across], centre[up]];
  }

  /** Screen px of a point in voxels along the plane's two axes. */
  toScreen(u, v) {
    const { x, y, width, height } = this.frame;
    const right = (u - this.middle[0]) * this.stepX;
    return [x + width / 2 + (this.mirrored ? -right : right), y + height / 2 - (v - this.middle[1]) * this.stepY];
  }

  /** Voxels (not rounded) along the plane's two axes at screen px. */
  toVoxels(px, py) {
    const { x, y, width, height } = this.frame;
    const right = (px - x - width / 2) / this.stepX;
    return [this.middle[0] + (this.mirrored ? -right : right), this.middle[1] - (py - y - height / 2) / this.stepY];
  }
}
