// Lines over flat colours: what was painted on lines is replaced by the nearest colours beside them.

const DARK = 0.15; // brightness of ink relative to the colour below it

// image: ImageData of a colouring; lines: whether each of its pixels is on a line
export function flat(image, lines) {
  const side = image.width, result = new ImageData(image.data.slice(), side, side);
  const near = (i) => [i - 1, i + 1, i - side, i + side].filter((j) => j >= 0 && j < side * side && Math.abs((j % side) - (i % side)) < 2);
  const todo = new Set();
  lines.forEach((on, i) => {
    if (on) for (const j of [i, ...near(i)]) todo.add(j);
  });
  while (todo.size && todo.size < side * side) {
    const ready = [...todo].map((i) => [i, near(i).filter((j) => !todo.has(j))]).filter(([, from]) => from.length);
    for (const [i, from] of ready) {
      for (let c = 0; c < 3; c++) {
        result.data[4 * i + c] = from.reduce((sum, j) => sum + result.data[4 * j + c], 0) / from.length;
      }
    }
    for (const [i] of ready) todo.delete(i);
  }
  return result;
}

// ink: RGBA pixels of the lines at the canvas's size, over what is on it
export function layInk(context, ink) {
  const picture = context.getImageData(0, 0, ink.width, ink.height);
  for (let i = 0; i < picture.data.length; i += 4) {
    const kept = 1 - (ink.data[i + 3] / 255) * (1 - DARK);
    for (let c = 0; c < 3; c++) picture.data[i + c] *= kept;
  }
  context.putImageData(picture, 0, 0);
}
