// Volumes in blocks of voxels, coarse enough to be searched and drawn in 3-D while the reader drags.

/**
 * A grid of blocks of `edge` voxels over `box`, with an empty block on every side: shape, strides, and what each axis's first
 * block begins at. most: blocks along the longest axis.
 */
export function blockGrid({ low, high }, most) {
  const lengths = low.map((from, axis) => high[axis] - from + 1), edge = Math.ceil(Math.max(...lengths) / most);
  const shape = lengths.map((length) => Math.ceil(length / edge) + 2);
  return { edge, shape, strides: [1, shape[0], shape[0] * shape[1]], low: low.map((from) => from - edge) };
}

/** The middle of a block, voxels; of one between blocks too, as a surface's points are. */
export function toVoxel({ edge, low }, block) {
  return block.map((at, axis) => low[axis] + (at + 0.5) * edge - 0.5);
}

/** Calls visit(block, voxel) with the index of each voxel in the box and that of its block. */
function eachVoxel({ edge, strides, low }, box, voxelStrides, visit) {
  const blockOf = (axis) => (at) => Math.floor((at - low[axis]) / edge) * strides[axis];
  const [ofI, ofJ, ofK] = [0, 1, 2].map((axis) => Int32Array.from({ length: box.high[axis] + 1 }, (_, at) => blockOf(axis)(at)));
  for (let k = box.low[2]; k <= box.high[2]; k += 1) for (let j = box.low[1]; j <= box.high[1]; j += 1) {
    const row = j * voxelStrides[1] + k * voxelStrides[2], block = ofJ[j] + ofK[k];
    for (let i = box.low[0]; i <= box.high[0]; i += 1) visit(block + ofI[i], row + i);
  }
}

/** The highest code of each block, the highest size for a signed map, and at which voxel it is; 0 where none is above. */
export function highest(grid, box, volume) {
  const values = new Int32Array(grid.shape[0] * grid.shape[1] * grid.shape[2]), places = new Int32Array(values.length);
  const { codes, signed } = volume;
  eachVoxel(grid, box, volume.strides, (block, voxel) => {
    const value = signed ? Math.abs(codes[voxel]) : codes[voxel];
    if (value <= values[block]) return;
    values[block] = value;
    places[block] = voxel;
  });
  return { values, places };
}

/** How much of each block lies in the brain, 0 to 1: where the scan is not 0 and, if there are others, one of them is neither. */
export function filled(grid, box, scan, others) {
  const values = new Float32Array(grid.shape[0] * grid.shape[1] * grid.shape[2]), share = grid.edge ** -3;
  eachVoxel(grid, box, scan.strides, (block, voxel) => {
    if (scan.codes[voxel] !== 0 && (others.length === 0 || others.some(({ codes }) => codes[voxel] !== 0))) values[block] += share;
  });
  return values;
}
