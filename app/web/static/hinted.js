// Palettes that agree with hints, and colourings that keep to them, as creatures/translation/hinted.py makes them.
// A palette is a list of colours, each of four numbers: RGB in [-1, 1] and its fraction of the figure.

import { components } from "./regions.js";

const FITTING = 0.2; // fraction of palettes that one is chosen from
const ALIKE = 24; // levels of 255 within which pixels are of one colour

const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

// of hints, 4 x side x side, spread in the regions of these labels: their colours, at most `most`
export function hintPalette(hints, labels, most) {
  const area = labels.length, found = [];
  let figure = 0;
  for (let i = 0; i < area; i++) {
    if (labels[i] || hints[3 * area + i]) figure++;
    if (!hints[3 * area + i]) continue;
    const rgb = [hints[i], hints[area + i], hints[2 * area + i]];
    const same = found.find((each) => apart(each.rgb, rgb) < ALIKE / 127.5);
    if (same) same.count++;
    else found.push({ rgb, count: 1 });
  }
  found.sort((a, b) => b.count - a.count);
  return found.slice(0, most).map(({ rgb, count }) => [...rgb, count / figure]);
}

// those of some palettes whose colours are most like others
export function fitting(palettes, colours) {
  const score = (palette) => {
    const known = palette.filter((each) => each[3] > 0);
    return colours.reduce((sum, colour) => sum + Math.min(...known.map((each) => apart(each, colour))), 0);
  };
  const scored = palettes.map((palette) => ({ palette, score: score(palette) })).sort((a, b) => a.score - b.score);
  return scored.slice(0, Math.ceil(FITTING * palettes.length)).map(({ palette }) => palette);
}

// a palette with other colours, each in place of the most similar of its own; what these leave of the figure is
// shared by the rest as before
export function merged(palette, own) {
  const rest = palette.filter((each) => each[3] > 0);
  for (const colour of own) {
    if (!rest.length) break;
    const nearest = rest.reduce((a, b) => (apart(b, colour) < apart(a, colour) ? b : a));
    rest.splice(rest.indexOf(nearest), 1);
  }
  const sum = (colours) => colours.reduce((all, each) => all + each[3], 0), left = (1 - sum(own)) / sum(rest);
  const both = [...own, ...rest.map(([r, g, b, share]) => [r, g, b, share * left])].sort((a, b) => b[3] - a[3]);
  return Array.from(palette, (_, i) => both[i] ?? [0, 0, 0, 0]);
}

const median = (values) => {
  const sorted = Float64Array.from(values).sort(), half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
};

// changes a colouring, ImageData: in each region the median colour becomes that of its hints, 4 x side x side as the
// user put them; where there are several, the nearer ones count for more
export function hold(image, hints, labels) {
  const side = image.width, area = side * side, { data } = image;
  const put = (i) => hints[3 * area + i] > 0 && labels[i];
  const ranks = new Set([...labels.keys()].filter(put).map((i) => labels[i]));
  for (const rank of ranks) {
    const marks = components(Uint8Array.from(labels, (label, i) => (label === rank && put(i) ? 1 : 0)), side);
    const count = marks.reduce((a, b) => Math.max(a, b), 0), pixels = [...labels.keys()].filter((i) => labels[i] === rank);
    const seeds = Array.from({ length: count }, (_, n) => pixels.filter((i) => marks[i] === n + 1));
    const apart = pixels.map((i) =>
      seeds.map((each) => Math.min(...each.map((j) => Math.hypot((i % side) - (j % side), Math.floor(i / side) - Math.floor(j / side))))),
    );
    const nearest = apart.map((all) => all.indexOf(Math.min(...all)));
    const shifts = seeds.map((each, n) =>
      [0, 1, 2].map((c) => {
        const own = pixels.filter((_, k) => nearest[k] === n).map((i) => data[4 * i + c]);
        return median(each.map((j) => (hints[c * area + j] + 1) * 127.5)) - median(own);
      }),
    );
    pixels.forEach((i, k) => {
      const weights = apart[k].map((distance) => 1 / (1 + distance) ** 2), all = weights.reduce((a, b) => a + b, 0);
      for (let c = 0; c < 3; c++) {
        const shift = shifts.reduce((sum, each, n) => sum + each[c] * weights[n], 0) / all;
        data[4 * i + c] = Math.round(data[4 * i + c] + shift);
      }
    });
  }
}
