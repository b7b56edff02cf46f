// Cuts the background around a figure away, as creatures/decoding/matting.py does it.

const FAINT = 16; // levels that the background may differ from its colour
const SOFT = 3; // pixels: width of the softest edge
const MIXED = 24; // levels that an edge pixel may be off the line from the background's colour to the figure's
const EVEN = 4; // levels by which a pixel on the way to the rim may be nearer to the background's colour than the last
const FARTHER = 3; // levels off the line that a step towards the rim is worth
const SOLID = 0.95; // opacity from which a pixel is the figure's own

// image: of one opaque background; returns one of the same size without it, its edges unmixed from it
export function cutOut(image) {
  const { width, height } = image, count = width * height, result = new ImageData(width, height);
  const at = (i, c) => image.data[4 * i + c];
  const around = Array.from({ length: count }, (_, i) => {
    const x = i % width, y = Math.floor(i / width), found = [];
    for (let v = y - 1; v <= y + 1; v++) {
      for (let u = x - 1; u <= x + 1; u++) {
        if ((u !== x || v !== y) && u >= 0 && u < width && v >= 0 && v < height) found.push(v * width + u);
      }
    }
    return found;
  });
  const border = [...Array(width).keys()].flatMap((x) => [x, (height - 1) * width + x]);
  for (let y = 0; y < height; y++) border.push(y * width, y * width + width - 1);
  const background = [0, 1, 2].map((c) => {
    const levels = border.map((i) => at(i, c)).sort((a, b) => a - b), half = levels.length / 2;
    return (levels[half - 1] + levels[half]) / 2;
  });
  const distance = Float32Array.from({ length: count }, (_, i) => Math.max(...background.map((b, c) => Math.abs(at(i, c) - b))));

  const clear = new Uint8Array(count);
  for (const todo = border.filter((i) => distance[i] <= FAINT); todo.length; ) {
    const i = todo.pop();
    if (clear[i]) continue;
    clear[i] = 1;
    const beside = around[i].filter((j) => j % width === i % width || Math.abs(j - i) === 1);
    todo.push(...beside.filter((j) => distance[j] <= FAINT && !clear[j]));
  }
  const uphill = around.map((near, i) => near.reduce((best, j) => (distance[j] > distance[best] ? j : best), i));
  const edge = new Uint8Array(count);
  for (let step = 0, passed = clear; step < SOFT; step++) {
    passed = Uint8Array.from(around, (near, i) => {
      if (clear[i] || edge[i] || uphill[i] === i) return 0;
      return near.some((j) => passed[j] && distance[i] + EVEN > distance[j]) ? 1 : 0;
    });
    passed.forEach((on, i) => on && (edge[i] = 1));
  }

  for (let i = 0; i < count; i++) {
    if (clear[i]) continue;
    let [colour, alpha, least, top] = [i, 1, Infinity, i];
    for (let step = 1; step <= SOFT && edge[i]; step++) {
      top = uphill[top];
      const along = background.map((b, c) => at(top, c) - b), from = background.map((b, c) => at(i, c) - b);
      const dot = (a, b) => a.reduce((sum, value, c) => sum + value * b[c], 0);
      const share = Math.min(1, Math.max(0, dot(from, along) / Math.max(dot(along, along), 1)));
      const off = Math.max(...from.map((value, c) => Math.abs(value - share * along[c])));
      if (off > MIXED || share >= SOLID || off - FARTHER * step >= least) continue;
      [colour, alpha, least] = [top, share, off - FARTHER * step];
    }
    if (alpha === 0) continue;
    for (let c = 0; c < 3; c++) result.data[4 * i + c] = at(colour, c);
    result.data[4 * i + 3] = Math.round(255 * alpha);
  }
  return result;
}
