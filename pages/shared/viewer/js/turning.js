// How a turned brain lies on the screen, without perspective.

/**
 * The directions, in R A S, of the screen's right and up and towards the reader. yaw, degrees: 0 faces the patient, 90 sees the
 * patient's right side; pitch, degrees: 90 looks down on the top of the head.
 */
export function directions({ yaw, pitch }) {
  const [y, p] = [yaw, pitch].map((angle) => (angle * Math.PI) / 180);
  const right = [-Math.cos(y), Math.sin(y), 0];
  const towards = [Math.sin(y) * Math.cos(p), Math.cos(y) * Math.cos(p), Math.sin(p)];
  return [right, [-Math.sin(p) * Math.sin(y), -Math.sin(p) * Math.cos(y), Math.cos(p)], towards];
}

/** Right, up and towards the reader, mm, of a point given from the middle in mm. */
export function seenAt(axes, point) {
  return axes.map((axis) => axis[0] * point[0] + axis[1] * point[1] + axis[2] * point[2]);
}

/** Turned by a drag or a key, degrees. */
export function turned({ yaw, pitch }, right, down) {
  return { yaw: (((yaw + right) % 360) + 360) % 360, pitch: Math.max(-90, Math.min(90, pitch + down)) };
}

/** The owner of the nearest triangle of a mesh (points in mm from the middle) at a place on the screen, mm; 0 for none. */
export function ownerAt({ points, owners, triangles }, axes, [x, y]) {
  const seen = new Float32Array(points.length);
  for (let at = 0; at < points.length; at += 3) seen.set(seenAt(axes, points.subarray(at, at + 3)), at);
  let nearest = -Infinity, found = 0;
  for (let at = 0; at < triangles.length; at += 3) {
    const [p, q, r] = [3 * triangles[at], 3 * triangles[at + 1], 3 * triangles[at + 2]];
    const area = (seen[q] - seen[p]) * (seen[r + 1] - seen[p + 1]) - (seen[r] - seen[p]) * (seen[q + 1] - seen[p + 1]);
    if (area === 0) continue;
    const shareQ = ((x - seen[p]) * (seen[r + 1] - seen[p + 1]) - (seen[r] - seen[p]) * (y - seen[p + 1])) / area;
    const shareR = ((seen[q] - seen[p]) * (y - seen[p + 1]) - (x - seen[p]) * (seen[q + 1] - seen[p + 1])) / area;
    if (shareQ < 0 || shareR < 0 || shareQ + shareR > 1) continue;
    const depth = seen[p + 2] + shareQ * (seen[q + 2] - seen[p + 2]) + shareR * (seen[r + 2] - seen[p + 2]);
    if (depth > nearest) [nearest, found] = [depth, owners[triangles[at]]];
  }
  return found;
}
