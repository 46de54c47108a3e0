// What is drawn over a face: its outline, the regions, arrows where something moves, and what makes it hard to read.
import { gateWord } from "./terms.js";

const STILL_PX = 0.35; // source pixels; a shorter arrow is noise

/** Draw the faces of one frame's header. look: {outline, regions, movement, gates, magnified, scale, colours, mirror}. */
export function drawFaces(context, faces, look) {
  for (const face of faces) {
    if (look.outline && face.outline?.length) drawOutline(context, face, look);
    for (const region of face.regions ?? []) drawRegion(context, region, look);
    if (look.movement) {
      for (const region of face.regions ?? []) drawArrow(context, region, face.scale ?? 1, look);
    }
    if (look.gates && face.gates?.length) nameGates(context, face, look);
  }
}

function trace(context, points, scale) {
  context.beginPath();
  points.forEach(([x, y], place) => (place ? context.lineTo(x * scale, y * scale) : context.moveTo(x * scale, y * scale)));
  context.closePath();
}

function drawOutline(context, face, { scale, colours, unit }) {
  trace(context, face.outline, scale);
  context.lineWidth = 1.5 * unit;
  context.strokeStyle = face.gates?.length ? colours.doubt : colours.outline;
  context.stroke();
}

function drawRegion(context, region, { scale, colours, regions, movement, unit }) {
  const over = region.over && movement;
  if (!over && !regions) return;
  if (!region.points?.length) return;
  context.lineWidth = (over ? 2 : 1) * unit;
  context.strokeStyle = over ? colours.moving : colours.region;
  context.fillStyle = over ? colours.movingFill : colours.regionFill;
  if (region.points.length < 3) {
    const [x, y] = middle(region.points);
    context.beginPath();
    context.arc(x * scale, y * scale, 6 * unit, 0, 2 * Math.PI);
  } else {
    trace(context, region.points, scale);
  }
  context.fill();
  context.stroke();
}

export function middle(points) {
  const sum = points.reduce(([a, b], [x, y]) => [a + x, b + y], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** Movement is measured on a face of one size; `perUnit` is how many pixels of the picture that is here. */
function drawArrow(context, region, perUnit, { scale, colours, magnified, unit }) {
  if (!region.over || !region.movement || !region.points?.length) return;
  const [dx, dy] = region.movement.map((value) => value * perUnit);
  const length = Math.hypot(dx, dy);
  if (!(length * magnified > STILL_PX)) return;
  const [x, y] = middle(region.points).map((value) => value * scale);
  const tip = [x + dx * magnified * scale, y + dy * magnified * scale];
  const angle = Math.atan2(dy, dx);
  const head = Math.min(9 * unit, 0.6 * length * magnified * scale);
  for (const [colour, width] of [[colours.halo, 4.5], [colours.arrow, 2.2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * unit;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(...tip);
    for (const side of [-0.5, 0.5]) {
      context.moveTo(...tip);
      context.lineTo(tip[0] - head * Math.cos(angle + side), tip[1] - head * Math.sin(angle + side));
    }
    context.stroke();
  }
}

function nameGates(context, face, { scale, colours, unit, mirror, width, height }) {
  const text = face.gates.map(gateWord).join(" · ");
  const top = Math.min(...face.outline.map(([, y]) => y));
  const bottom = Math.max(...face.outline.map(([, y]) => y));
  const center = middle(face.outline)[0];
  context.save();
  context.font = `600 ${13 * unit}px system-ui, sans-serif`;
  const wide = context.measureText(text).width + 18 * unit;
  const high = 24 * unit;
  let x = mirror ? width - center * scale : center * scale;
  if (mirror) {
    // The picture is turned round, words are not.
    context.translate(width, 0);
    context.scale(-1, 1);
  }
  x = Math.min(Math.max(x - wide / 2, 4 * unit), Math.max(4 * unit, width - wide - 4 * unit));
  // Over the forehead; where that is too near to the edge, under the chin.
  const above = top * scale - high - 8 * unit;
  const y = above > 40 * unit ? above : Math.min(bottom * scale + 8 * unit, height - high - 6 * unit);
  context.fillStyle = colours.doubtFill;
  context.beginPath();
  context.roundRect(x, y, wide, high, high / 2);
  context.fill();
  context.fillStyle = colours.doubtText;
  context.textBaseline = "middle";
  context.fillText(text, x + 9 * unit, y + high / 2);
  context.restore();
}
