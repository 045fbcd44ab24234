// Where toys lie in a plane, which part of one is under the pointer, and how they are drawn. A toy is a cylinder along the slices, or a ball;
// what was drawn by hand is a ball about each voxel that the brush passed, and shown by the one that lies nearest.

const CATCH = 8; // px about a handle that are the handle's
const HANDLE = 4; // px, half a handle's edge
const CHOSEN = "#ffffff", OTHERS = "rgba(255, 255, 255, 0.55)";

/** A toy's centre; of what a brush painted, the voxel of its path that lies nearest to a slice. */
function centreIn({ centre, path }, through, index) {
  const away = (step) => Math.abs(index - centre[through] - step[through]);
  const nearest = (path ?? []).reduce((best, step) => (away(step) < away(best) ? step : best), [0, 0, 0]);
  return centre.map((at, axis) => at + nearest[axis]);
}

/** A toy in slice `index` of a plane: middle and half its extent, voxels along the plane's axes; null where the slice has none. */
export function outlineOf(toy, { across, up, through }, index, spacing) {
  const { size_mm: sizeMm, run } = toy, centre = centreIn(toy, through, index);
  if (!run) {
    const aside = (index - centre[through]) * spacing[through], reach = Math.sqrt(Math.max(0, sizeMm ** 2 - aside ** 2));
    if (Math.abs(aside) > sizeMm) return null;
    return { isRound: true, middle: [centre[across], centre[up]], half: [reach / spacing[across], reach / spacing[up]] };
  }
  const { first, last } = run;
  if (through === 2) {
    if (index < first || index > last) return null;
    return { isRound: true, middle: [centre[across], centre[up]], half: [sizeMm / spacing[across], sizeMm / spacing[up]] };
  }
  const aside = (index - centre[through]) * spacing[through];
  if (Math.abs(aside) > sizeMm) return null;
  const half = [Math.sqrt(sizeMm ** 2 - aside ** 2) / spacing[across], (last - first + 1) / 2];
  return { isRound: false, middle: [centre[across], (first + last) / 2], half };
}

/** The places, in voxels of the plane, at which a toy is pulled larger: on the right, and at the top where that is its length. */
export function handlesOf({ isRound, middle, half }, isMirrored) {
  const size = { part: "size", at: [middle[0] + (isMirrored ? -half[0] : half[0]), middle[1]] };
  return isRound ? [size] : [size, { part: "length", at: [middle[0], middle[1] + half[1]] }];
}

/** The toy, and what of it, at a point [px, py] of a picture: a handle of the chosen one, else the inside of one. */
export function partAt({ list, chosen }, { projection, index }, spacing, [px, py]) {
  const shown = list.map((toy) => ({ toy, outline: outlineOf(toy, projection.plane, index, spacing) })).filter(({ outline }) => outline);
  const own = shown.find(({ toy }) => toy.id === chosen);
  const near = ({ at }) => {
    const [x, y] = projection.toScreen(...at);
    return Math.max(Math.abs(x - px), Math.abs(y - py)) <= CATCH;
  };
  const handle = own && handlesOf(own.outline, projection.mirrored).find(near);
  if (handle) return { toy: own.toy, part: handle.part };
  const point = projection.toVoxels(px, py);
  const found = [...(own ? [own] : []), ...shown.reverse()].find(({ toy, outline }) =>
    toy.path?.length ? isOnPath(toy, projection.plane, index, spacing, point) : isInside(outline, point));
  return found ? { toy: found.toy, part: "body" } : null;
}

/** Whether a point of the plane lies on what a brush painted: in a ball about a voxel that it passed. */
function isOnPath({ centre, path, size_mm: sizeMm }, { across, up, through }, index, spacing, [u, v]) {
  return path.some((step) => {
    const at = (axis, place) => (place - centre[axis] - step[axis]) * spacing[axis];
    return Math.hypot(at(across, u), at(up, v), at(through, index)) <= sizeMm;
  });
}

function isInside({ isRound, middle, half }, point) {
  const [u, v] = [0, 1].map((axis) => Math.abs(point[axis] - middle[axis]) / Math.max(half[axis], 0.5));
  return isRound ? Math.hypot(u, v) <= 1 : Math.max(u, v) <= 1;
}

/** A toy with its centre elsewhere. */
export function movedTo(toy, centre) {
  const along = centre[2] - toy.centre[2];
  return { ...toy, centre, run: toy.run && { ...toy.run, first: toy.run.first + along, last: toy.run.last + along } };
}

/** A toy with another size, or through another length of slices, within what it can have. */
export function resized(toy, part, mm, spacing) {
  const [low, high] = part === "size" ? toy.range_mm : toy.run.range_mm;
  const within = Math.max(low, Math.min(high, Math.round(mm)));
  if (part === "size") return { ...toy, size_mm: within };
  const count = Math.max(1, Math.round(within / spacing[2])), first = toy.centre[2] - Math.floor(count / 2);
  return { ...toy, length_mm: within, run: { ...toy.run, first, last: first + count - 1 } };
}

/** The mm that a handle pulled to a point of the plane asks for. */
export function pulledMm(toy, part, plane, index, point, spacing) {
  const { across, up, through } = plane;
  if (part === "length") return 2 * Math.abs(point[1] - toy.centre[up]) * spacing[up];
  const centre = centreIn(toy, through, index), beyond = (index - centre[through]) * spacing[through];
  const aside = (point[0] - centre[across]) * spacing[across], above = (point[1] - centre[up]) * spacing[up];
  if (!toy.run) return Math.hypot(aside, above, beyond);
  return Math.hypot(aside, through === 2 ? above : beyond);
}

/** What toys look like once the acts that Python has not answered yet are done; what a plant adds is in `planted`. */
export function afterActs({ list, chosen, nextMm }, acts, spacing) {
  const does = {
    move: (toy, { voxel }) => movedTo(toy, voxel),
    size: (toy, { mm }) => resized(toy, "size", mm, spacing),
    length: (toy, { mm }) => resized(toy, "length", mm, spacing),
  };
  const after = { list, chosen, planted: [] };
  for (const act of acts) {
    if (act.name === "draw") Object.assign(after, { planted: [...after.planted, { path: act.path, mm: nextMm }], chosen: null });
    else if (act.name === "plant") Object.assign(after, { planted: [...after.planted, { voxel: act.voxel, mm: nextMm }], chosen: null });
    else if (act.name === "choose") after.chosen = act.id ?? null;
    else if (act.name === "delete") after.list = after.list.filter(({ id }) => id !== act.id);
    else if (act.name in does) {
      after.list = after.list.map((toy) => (toy.id === act.id ? does[act.name](toy, act) : toy));
      after.chosen = act.id;
    }
  }
  return after;
}

/** The outlines in a picture: those of toys, the chosen one with its handles, and rings where a click will plant one. */
export function drawToys(context, projection, index, { list, chosen, planted }, spacing) {
  const { plane } = projection;
  context.lineWidth = 1.25;
  for (const toy of list) {
    const outline = outlineOf(toy, plane, index, spacing);
    if (!outline) continue;
    trace(context, projection, outline, toy.id === chosen ? CHOSEN : OTHERS, toy.id === chosen ? [] : [3, 3]);
    if (toy.id === chosen) for (const { at } of handlesOf(outline, projection.mirrored)) drawHandle(context, projection.toScreen(...at));
  }
  for (const { path, mm } of planted.filter(({ path }) => path)) drawStroke(context, projection, path, mm, spacing);
  for (const { voxel, mm } of planted.filter(({ voxel }) => voxel)) {
    const half = [mm / spacing[plane.across], mm / spacing[plane.up]];
    if (voxel[plane.through] === index) {
      trace(context, projection, { isRound: true, middle: [voxel[plane.across], voxel[plane.up]], half }, OTHERS, [2, 4]);
    }
  }
}

/** What a brush passes, as wide as it is, while it is not painted yet. */
function drawStroke(context, projection, path, mm, spacing) {
  const { across, up } = projection.plane, points = path.map((voxel) => projection.toScreen(voxel[across], voxel[up]));
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points.length > 1 ? points.slice(1) : points) context.lineTo(...point);
  context.strokeStyle = "rgba(255, 255, 255, 0.35)";
  context.lineWidth = (2 * mm * projection.stepX) / spacing[across];
  context.lineCap = context.lineJoin = "round";
  context.stroke();
  context.lineWidth = 1.25;
  context.lineCap = context.lineJoin = "miter";
}

function trace(context, projection, { isRound, middle, half }, colour, dashes) {
  const [x, y] = projection.toScreen(...middle), [width, height] = [half[0] * projection.stepX, half[1] * projection.stepY];
  context.beginPath();
  if (isRound) context.ellipse(x, y, width, height, 0, 0, 2 * Math.PI);
  else context.rect(x - width, y - height, 2 * width, 2 * height);
  context.strokeStyle = colour;
  context.setLineDash(dashes);
  context.stroke();
  context.setLineDash([]);
}

function drawHandle(context, [x, y]) {
  context.fillStyle = CHOSEN;
  context.fillRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
  context.strokeStyle = "black";
  context.strokeRect(x - HANDLE, y - HANDLE, 2 * HANDLE, 2 * HANDLE);
}
