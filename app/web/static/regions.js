// Regions of an outline, and their colours: as creatures/translation/regions.py and colouring.py do it.

const GAP = 1.5, LEAST = 6; // pixels at a side of 64
const ROUNDS = [[1], [2, 3], [4, 5, 6, 7]]; // ranks of regions, by area, whose colours are chosen together
const TEMPERATURE = 0.7; // of the choice: below 1, unlikely colours are rarer
const SPREAD = 0.5; // mask of pixels that have no hint themselves, in a region that has one
const POINT = 1.5; // pixels at a side of 64: radius of a hint

const squared = (i, j, side) => ((i % side) - (j % side)) ** 2 + (Math.floor(i / side) - Math.floor(j / side)) ** 2;

function nearest(i, among, side) {
  let best = -1, least = Infinity;
  for (const j of among) {
    const apart = squared(i, j, side);
    if (apart < least) [best, least] = [j, apart];
  }
  return [best, Math.sqrt(least)];
}

// labels of 8-connected parts of a mask, from 1; 0 elsewhere
export function components(mask, side) {
  const labels = new Int32Array(mask.length);
  let count = 0;
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || labels[start]) continue;
    labels[start] = ++count;
    for (const todo = [start]; todo.length; ) {
      const i = todo.pop(), x = i % side, y = Math.floor(i / side);
      for (let v = Math.max(0, y - 1); v <= Math.min(side - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(side - 1, x + 1); u++) {
          const j = v * side + u;
          if (mask[j] && !labels[j]) todo.push(j), (labels[j] = count);
        }
      }
    }
  }
  return labels;
}

// on: whether each pixel is on a line. Labels 1, 2 … by area, 0 on lines and outside
export function regions(on, side) {
  const scale = side / 64, result = new Int32Array(on.length), lines = [], free = [];
  on.forEach((line, i) => (line ? lines : free).push(i));
  if (!lines.length) return result;
  const core = new Uint8Array(on.length);
  for (const i of free) core[i] = nearest(i, lines, side)[1] > GAP * scale ? 1 : 0;
  const labels = components(core, side), cores = free.filter((i) => core[i]);
  if (!cores.length) return result;
  for (const i of free) if (!core[i]) labels[i] = labels[nearest(i, cores, side)[0]];
  const areas = new Map();
  for (const i of free) areas.set(labels[i], (areas.get(labels[i]) ?? 0) + 1);
  for (let k = 0; k < side; k++) {
    for (const i of [k, (side - 1) * side + k, k * side, k * side + side - 1]) if (!on[i]) areas.delete(labels[i]);
  }
  const ranked = [...areas].filter(([, area]) => area >= LEAST * scale ** 2).sort((a, b) => b[1] - a[1]);
  const ranks = new Map(ranked.map(([label], rank) => [label, rank + 1]));
  for (const i of free) result[i] = ranks.get(labels[i]) ?? 0;
  return result;
}

// fills the regions that have hints with the colour of the nearest; hints: 4 x side x side, changed in place
export function spread(hints, labels, side) {
  const area = side * side, seeds = new Map();
  for (let i = 0; i < area; i++) {
    if (hints[3 * area + i] !== 1 || !labels[i]) continue;
    if (!seeds.has(labels[i])) seeds.set(labels[i], []);
    seeds.get(labels[i]).push(i);
  }
  for (let i = 0; i < area; i++) {
    if (hints[3 * area + i] === 1 || !seeds.has(labels[i])) continue;
    const [from] = nearest(i, seeds.get(labels[i]), side);
    for (let c = 0; c < 3; c++) hints[c * area + i] = hints[c * area + from];
    hints[3 * area + i] = SPREAD;
  }
}

// Puts a hint into each of the largest regions without any, of a palette's colour that the network expects there.
// labels: of regions; hints: 4 x side x side, spread; palette: colours x 4; ask: returns logits for the hints
export async function choose(on, labels, side, hints, palette, random, ask) {
  const area = side * side, colours = palette.length / 4;
  const known = Array.from({ length: colours }, (_, k) => palette[4 * k + 3] > 0);
  if (!known.some(Boolean)) return;
  const lines = [...on.keys()].filter((i) => on[i]);
  for (const ranks of ROUNDS) {
    const todo = ranks
      .map((rank) => [...labels.keys()].filter((i) => labels[i] === rank))
      .filter((pixels) => pixels.length && !pixels.some((i) => hints[3 * area + i]));
    if (!todo.length) continue;
    const logits = await ask();
    for (const pixels of todo) {
      const means = known.map((there, k) =>
        there ? pixels.reduce((sum, i) => sum + logits[k * area + i], 0) / pixels.length / TEMPERATURE : -Infinity,
      );
      const most = Math.max(...means), weights = means.map((mean) => Math.exp(mean - most));
      const sum = weights.reduce((a, b) => a + b, 0), chosen = random.choice(weights.map((weight) => weight / sum));
      const middle = pixels.reduce((a, b) => (nearest(b, lines, side)[1] > nearest(a, lines, side)[1] ? b : a));
      for (const i of pixels) {
        if (squared(i, middle, side) > (POINT * side / 64) ** 2) continue;
        for (let c = 0; c < 3; c++) hints[c * area + i] = palette[4 * chosen + c];
        hints[3 * area + i] = 1;
      }
    }
    spread(hints, labels, side);
  }
}
