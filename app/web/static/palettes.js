// Palettes that go with hints, as app/hint_palettes.py makes them; a palette has four numbers a colour: RGB in [-1, 1]
// and its fraction of the figure.

const FITTING = 0.2; // fraction of palettes that one is chosen from
const ALIKE = 24; // levels of 255 within which pixels are of one colour

const apart = (a, b) => Math.hypot(...b.map((value, c) => a[c] - value));

// the colours of RGBA pixels, in [-1, 1], at most `most`, the most frequent first
export function hintColours(pixels, most) {
  const found = [];
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i + 3] < 128) continue;
    const rgb = [pixels[i], pixels[i + 1], pixels[i + 2]].map((level) => level / 127.5 - 1);
    const same = found.find((each) => apart(each.rgb, rgb) < ALIKE / 127.5);
    if (same) same.count++;
    else found.push({ rgb, count: 1 });
  }
  return found.sort((a, b) => b.count - a.count).slice(0, most).map(({ rgb }) => rgb);
}

// numbers of the palettes, each `length` numbers long, whose colours are most like some
export function fittingPalettes(palettes, length, colours) {
  const count = palettes.length / length;
  const scores = Array.from({ length: count }, (_, n) =>
    colours.reduce((sum, colour) => {
      let least = Infinity;
      for (let i = n * length; i < (n + 1) * length; i += 4) {
        if (palettes[i + 3] > 0) least = Math.min(least, apart(palettes.subarray(i, i + 3), colour));
      }
      return sum + least;
    }, 0),
  );
  return [...scores.keys()].sort((a, b) => scores[a] - scores[b]).slice(0, Math.ceil(FITTING * count));
}

// a palette, changed in place: each of some colours takes the place of the nearest that is not one of them already
export function withColours(palette, colours) {
  const free = [...Array(palette.length / 4).keys()].filter((i) => palette[4 * i + 3] > 0);
  for (const colour of colours) {
    if (!free.length) break;
    const distance = (i) => apart(palette.subarray(4 * i, 4 * i + 3), colour);
    const nearest = free.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    palette.set(colour, 4 * nearest);
    free.splice(free.indexOf(nearest), 1);
  }
  return palette;
}
