// Rulers and regions as they are drawn in a picture.

import { PLANES } from "./geometry.js";
import { ellipseIn, lengthMm } from "./measure.js";

const COLOUR = "#ffe66b", FONT = "600 12px sans-serif";

/** Those of this plane and slice; each with its number, a ruler with its length. */
export function drawMeasures(context, projection, index, measures, affine) {
  measures.forEach((one, at) => {
    if (PLANES[one.plane] !== projection.plane || one.index !== index) return;
    context.strokeStyle = context.fillStyle = COLOUR;
    context.lineWidth = 1.5;
    const isRuler = one.kind === "ruler";
    const [x, y] = isRuler ? drawLine(context, projection, one) : drawEllipse(context, projection, ellipseIn(one.from, one.to));
    const text = isRuler ? `${at + 1}: ${lengthMm(projection.plane, affine, one.from, one.to).toFixed(1)} mm` : String(at + 1);
    write(context, projection.frame, text, x + 6, y - 6);
  });
}

/** Where its text begins. */
function drawLine(context, projection, { from, to }) {
  const ends = [from, to].map((point) => projection.toScreen(...point));
  context.beginPath();
  context.moveTo(...ends[0]);
  context.lineTo(...ends[1]);
  context.stroke();
  for (const [x, y] of ends) context.fillRect(x - 2, y - 2, 4, 4);
  return ends[ends[1][0] > ends[0][0] ? 1 : 0];
}

function drawEllipse(context, projection, { middle, half }) {
  const [x, y] = projection.toScreen(...middle), [width, height] = [half[0] * projection.stepX, half[1] * projection.stepY];
  context.beginPath();
  context.ellipse(x, y, width, height, 0, 0, 2 * Math.PI);
  context.stroke();
  return [x + width * Math.SQRT1_2, y - height * Math.SQRT1_2];
}

function write(context, frame, text, x, y) {
  context.font = FONT;
  context.textAlign = "left";
  const right = frame.x + frame.width - context.measureText(text).width - 2;
  const place = [Math.max(frame.x + 2, Math.min(right, x)), Math.max(frame.y + 12, y)];
  context.lineWidth = 3;
  context.strokeStyle = "black";
  context.strokeText(text, ...place);
  context.fillText(text, ...place);
}
