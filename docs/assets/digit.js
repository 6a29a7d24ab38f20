// From the strokes of a pen to an image as MNIST has them and LeNet-5 sees them (Sec. III-A): the digit fills a box of
// 20x20 pixels, its centre of mass lies in the middle of a field of 28x28, and that stands in the middle of 32x32, with
// paper at -0.1 and ink at 1.175. Strokes are lists of points [x, y], of any scale, y downwards.

export const SIZE = 32, PAPER = -0.1, INK = 1.175;
const BOX = 20, FIELD = 28;
const PEN = 2.7; // pixels of the box: so wide, digits have about as much ink as MNIST's
const MIDDLE = 14; // in MNIST's files the centre of mass is within half a pixel of this one, counted from 0

export const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

function distanceToSegment(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0, 1);
  return Math.sqrt((x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2);
}

/** How much of each of the 20x20 pixels the strokes cover, from 0 to 1; they fill the box in their longer direction. */
function fillBox(strokes) {
  const [xs, ys] = [0, 1].map((axis) => strokes.flat().map((point) => point[axis]));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const scale = (BOX - PEN) / Math.max(Math.max(...xs) - left, Math.max(...ys) - top, 0.05); // a dot stays a dot
  const scaled = strokes.map((stroke) => stroke.map(([x, y]) => [x - left, y - top].map((d) => d * scale + PEN / 2)));
  return Float32Array.from({ length: BOX * BOX }, (_, i) => {
    const [x, y] = [(i % BOX) + 0.5, Math.floor(i / BOX) + 0.5];
    const away = scaled.map((points) =>
      points.reduce((least, point, k) => Math.min(least, distanceToSegment(x, y, points[k && k - 1], point)), BOX));
    return clamp(PEN / 2 + 0.5 - Math.min(...away), 0, 1);
  });
}

/** The 32x32 pixels: the box moved by whole pixels, so that nothing is blurred once more. */
export function pixels(strokes) {
  const field = new Float32Array(SIZE * SIZE).fill(PAPER);
  if (!strokes.length) return field;
  const box = fillBox(strokes);
  const mass = box.reduce((sum, ink) => sum + ink, 0);
  const [left, top] = [(i) => i % BOX, (i) => Math.floor(i / BOX)].map((place) => {
    const centre = box.reduce((sum, ink, i) => sum + ink * place(i), 0) / mass;
    const extent = box.reduce((most, ink, i) => (ink > 0 ? Math.max(most, place(i) + 1) : most), 0);
    return clamp(Math.round(MIDDLE - centre), 0, FIELD - extent) + (SIZE - FIELD) / 2;
  });
  box.forEach((ink, i) => {
    if (ink > 0) field[(top + Math.floor(i / BOX)) * SIZE + left + (i % BOX)] = PAPER + (INK - PAPER) * ink;
  });
  return field;
}
