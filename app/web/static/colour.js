// A sheet to draw on, coloured after every stroke.

import { flat, layInk } from "./ink.js";
import { fittingPalettes, hintColours, withColours } from "./palettes.js";
import { run, toImages } from "./networks.js";
import { Random } from "./numpy_random.js";
import { $, context, enlarged, fillGrid, latest, numberIn, say, show } from "./page.js";
import { save, saveImage } from "./png.js";
import { choose, regions, spread } from "./regions.js";
import { Drawing, SHEET } from "./strokes.js";

const PENS = { black: "#000000", red: "#d03030", orange: "#f08a24", yellow: "#f5d547", green: "#4caf50", blue: "#2f7fd8", violet: "#8e4ec6", pink: "#f19ab4", brown: "#8a5a33", eraser: "#ffffff" };
const SEVERAL = 8;
const DARK = 95; // opacity of 255 from which a pixel is on a line

export function colour(about, palettes) {
  const drawing = new Drawing(), paper = $("paper"), sheet = context(paper);
  let pen = "black", stroke = null, seen = null;

  function redraw() {
    sheet.clearRect(0, 0, SHEET, SHEET);
    drawing.paint(sheet, "hint");
    const lines = new OffscreenCanvas(SHEET, SHEET);
    drawing.paint(context(lines), "line");
    sheet.drawImage(lines, 0, 0);
  }

  // what the network is given
  function inputs(seeds) {
    const side = about.colourSide, area = side * side, frame = drawing.frame(about.margin);
    if (!frame) return null;
    const lines = drawing.fitted(frame, side, "line").data, marks = drawing.fitted(frame, side, "hint").data;
    const on = Array.from({ length: area }, (_, i) => lines[4 * i + 3] >= DARK);
    const marked = about.hints && about.colours ? hintColours(marks, about.colours) : [];
    const count = seeds.length, many = (length) => new Float32Array(count * length);
    const outlines = many(area), hints = many(4 * area), noise = many(about.noise).fill(1), palette = many(about.colours * 4);
    seeds.forEach((seed, n) => {
      const random = new Random(seed);
      for (let i = 0; i < area; i++) {
        outlines[n * area + i] = on[i] ? -1 : 1;
        if (marks[4 * i + 3] < 128) continue;
        for (let c = 0; c < 3; c++) hints[(4 * n + c) * area + i] = marks[4 * i + c] / 127.5 - 1;
        hints[(4 * n + 3) * area + i] = 1;
      }
      const length = about.colours * 4, fitting = marked.length ? fittingPalettes(palettes, length, marked) : null;
      const at = length * (fitting ? fitting[Math.floor(random.uniform() * fitting.length)] : Math.floor(random.uniform() * about.palettes));
      palette.set(withColours(palettes.slice(at, at + length), marked), n * length);
      if (about.dropout) for (let i = 0; i < about.noise; i++) noise[n * about.noise + i] = random.uniform() < 0.5 ? 2 : 0;
    });
    return {
      frame,
      on,
      tensors: {
        outlines: { data: outlines, dims: [count, 1, side, side] },
        noise: { data: noise, dims: [count, about.noise] },
        palettes: { data: palette, dims: [count, about.colours, 4] },
        hints: { data: hints, dims: [count, 4, side, side] },
      },
    };
  }

  async function coloured(seeds) {
    const given = inputs(seeds);
    if (!given) return null;
    const labels = about.hints ? regions(given.on, about.colourSide) : null, planes = 4 * about.colourSide ** 2;
    for (const [n, seed] of about.hints ? seeds.entries() : []) {
      spread(given.tensors.hints.data.subarray(n * planes, (n + 1) * planes), labels, about.colourSide);
      if (!about.colours) continue;
      const parts = Object.entries(given.tensors).map(([key, { data, dims }]) => {
        const length = data.length / seeds.length;
        return [key, { data: data.subarray(n * length, (n + 1) * length), dims: [1, ...dims.slice(1)] }];
      });
      const one = Object.fromEntries(parts);
      const ask = async () => (await run("pix2pix", one)).choices;
      await choose(given.on, labels, about.colourSide, one.hints.data, one.palettes.data, new Random(seed, n), ask);
    }
    const { pictures } = await run("pix2pix", given.tensors);
    return toImages(pictures, about.colourSide).map((image) => ({ ...given, image }));
  }

  function finishOn(canvas, { image, on, frame }) {
    if (!$("ink").checked) return show(canvas, image);
    show(canvas, flat(image, on));
    layInk(context(canvas), drawing.fitted(frame, canvas.width, "line"));
  }

  const update = latest(async () => {
    const found = await coloured([numberIn($("colour-seed"))]);
    seen = found?.[0] ?? null;
    if (seen) finishOn($("coloured"), seen);
    else context($("coloured")).clearRect(0, 0, 256, 256);
  });
  const many = latest(async () => {
    const first = numberIn($("colour-seed")), seeds = Array.from({ length: SEVERAL }, (_, n) => first + n);
    const found = await coloured(seeds);
    if (!found) return say("Draw something first.");
    const finished = found.map((each) => {
      const canvas = new OffscreenCanvas(128, 128);
      finishOn(canvas, each);
      return context(canvas).getImageData(0, 0, 128, 128);
    });
    fillGrid($("several"), finished, "Colouring", (number) => {
      $("colour-seed").value = first + number;
      update();
    });
  });

  const place = (event) => {
    const box = paper.getBoundingClientRect();
    return [((event.clientX - box.left) * SHEET) / box.width, ((event.clientY - box.top) * SHEET) / box.height];
  };
  paper.addEventListener("pointerdown", (event) => {
    paper.setPointerCapture(event.pointerId);
    const kind = pen === "eraser" ? "erase" : pen === "black" ? "line" : "hint";
    stroke = { kind, colour: PENS[pen], width: Number($("width").value) * (kind === "erase" ? 2 : 1), points: [place(event)] };
    drawing.add(stroke);
    redraw();
  });
  paper.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    stroke.points.push(place(event));
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    paper.addEventListener(end, () => {
      if (stroke) update();
      stroke = null;
    });
  }
  const changed = () => {
    redraw();
    update();
  };
  const does = {
    undo: () => drawing.undo(),
    redo: () => drawing.redo(),
    clear: () => drawing.strokes.splice(0),
  };
  for (const [id, action] of Object.entries(does)) {
    $(id).addEventListener("click", () => {
      action();
      changed();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || $("colour").hidden) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    $(key === "y" || event.shiftKey ? "redo" : "undo").click();
  });
  for (const name of Object.keys(PENS).filter((name) => about.hints || name === "black" || name === "eraser")) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", name);
    button.setAttribute("aria-checked", String(name === pen));
    button.title = name;
    if (name === "eraser") button.textContent = "⌫";
    else button.style.backgroundColor = PENS[name];
    button.addEventListener("click", () => {
      pen = name;
      for (const other of $("pens").children) other.setAttribute("aria-checked", String(other === button));
    });
    $("pens").append(button);
  }
  for (const name of Object.keys(about.drawings)) $("examples").add(new Option(name, name));
  $("examples").addEventListener("change", () => {
    if (!$("examples").value) return;
    drawing.strokes = [{ kind: "line", colour: "#000000", width: (1.5 * SHEET) / 64, path: about.drawings[$("examples").value] }];
    changed();
  });
  $("colour-seed").addEventListener("input", () => update());
  $("ink").addEventListener("change", () => seen && finishOn($("coloured"), seen));
  $("many").addEventListener("click", many);
  $("save-coloured").addEventListener("click", () => {
    if (!seen) return say("Draw something first.");
    const finish = (scale) => {
      const canvas = enlarged(seen.image, scale);
      finishOn(canvas, seen);
      return canvas;
    };
    saveImage(seen.image, "coloured.png", null, $("ink").checked ? finish : null);
  });
  $("save-both").addEventListener("click", () => {
    const both = enlarged(new ImageData(2 * SHEET, SHEET), 1), brush = context(both);
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, both.width, SHEET);
    brush.drawImage(paper, 0, 0);
    brush.drawImage($("coloured"), SHEET, 0, SHEET, SHEET);
    save(both, "both.png");
  });
  $("save-drawing").addEventListener("click", () => save(paper, "drawing.png"));
}
