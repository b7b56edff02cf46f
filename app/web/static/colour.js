// A sheet to draw on, coloured after every stroke.

import { fitting, hintPalette, hold, merged } from "./hinted.js";
import { flat, layInk } from "./ink.js";
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

  const known = Array.from({ length: about.palettes }, (_, n) =>
    Array.from({ length: about.colours }, (_, i) => Array.from(palettes.subarray(4 * (n * about.colours + i), 4 * (n * about.colours + i + 1)))),
  );

  // what the network is given: of the drawing, the same for all colourings
  function outline() {
    const side = about.colourSide, area = side * side, frame = drawing.frame(about.margin);
    if (!frame) return null;
    const lines = drawing.fitted(frame, side, "line").data, marks = drawing.fitted(frame, side, "hint").data;
    const on = Array.from({ length: area }, (_, i) => lines[4 * i + 3] >= DARK), hints = new Float32Array(4 * area);
    for (let i = 0; i < area; i++) {
      if (marks[4 * i + 3] < 128) continue;
      for (let c = 0; c < 3; c++) hints[c * area + i] = marks[4 * i + c] / 127.5 - 1;
      hints[3 * area + i] = 1;
    }
    const labels = about.hints ? regions(on, side) : null, put = hints.slice();
    if (labels) spread(hints, labels, side);
    const own = labels && about.colours ? hintPalette(hints, labels, about.colours) : [];
    return { still: drawing.copy(), frame, on, labels, put, hints, own, fitting: own.length ? fitting(known, own) : known };
  }

  // and of one colouring: palette, noise, hints in regions without any
  async function inputs({ on, labels, hints, own, fitting }, seed) {
    const side = about.colourSide, random = new Random(seed), chosen = fitting[Math.floor(random.uniform() * fitting.length)];
    const noise = new Float32Array(about.noise).fill(1);
    if (about.dropout) noise.forEach((_, i) => (noise[i] = random.uniform() < 0.5 ? 2 : 0));
    const tensors = {
      outlines: { data: Float32Array.from(on, (line) => (line ? -1 : 1)), dims: [1, 1, side, side] },
      noise: { data: noise, dims: [1, about.noise] },
      palettes: { data: chosen ? Float32Array.from(merged(chosen, own).flat()) : new Float32Array(4 * about.colours), dims: [1, about.colours, 4] },
      hints: { data: hints.slice(), dims: [1, 4, side, side] },
    };
    if (labels && about.colours) {
      const ask = async () => (await run("pix2pix", tensors)).choices;
      await choose(on, labels, side, tensors.hints.data, tensors.palettes.data, new Random(seed, 0), ask);
    }
    return tensors;
  }

  async function coloured(seeds) {
    const given = outline(), found = [];
    if (!given) return null;
    for (const seed of seeds) {
      const { pictures } = await run("pix2pix", await inputs(given, seed));
      const image = toImages(pictures, about.colourSide)[0];
      if (given.labels) hold(image, given.put, given.labels);
      found.push({ ...given, image });
    }
    return found;
  }

  function finishOn(canvas, { image, on, still, frame }) {
    if (!$("ink").checked) return show(canvas, image);
    show(canvas, flat(image, on));
    layInk(context(canvas), still.fitted(frame, canvas.width, "line"));
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
  const ours = (event) => stroke?.pointer === event.pointerId; // not those of a second finger or a palm
  paper.addEventListener("pointerdown", (event) => {
    if (stroke?.type === "touch" && event.pointerType === "pen") drop(); // a palm came first
    if (stroke || event.button) return;
    paper.setPointerCapture(event.pointerId);
    const kind = pen === "eraser" ? "erase" : pen === "black" ? "line" : "hint";
    stroke = { kind, colour: PENS[pen], width: Number($("width").value) * (kind === "erase" ? 2 : 1), points: [place(event)], pointer: event.pointerId, type: event.pointerType };
    drawing.add(stroke);
    redraw();
  });
  paper.addEventListener("pointermove", (event) => {
    if (!ours(event)) return;
    stroke.points.push(place(event));
    redraw();
  });
  paper.addEventListener("pointerup", (event) => {
    if (!ours(event)) return;
    stroke = null;
    update();
  });
  paper.addEventListener("pointercancel", (event) => ours(event) && drop()); // a palm, or a gesture of the system
  function drop() {
    drawing.drop();
    stroke = null;
    changed();
  }
  const changed = () => {
    redraw();
    update();
  };
  const does = {
    undo: () => drawing.undo(),
    redo: () => drawing.redo(),
    clear: () => drawing.add({ kind: "clear", alone: true }),
  };
  for (const [id, action] of Object.entries(does)) {
    $(id).addEventListener("click", () => {
      action();
      changed();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || $("colour").hidden || event.target === $("colour-seed")) return;
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
    const path = about.drawings[$("examples").value];
    if (!path) return;
    drawing.add({ kind: "line", colour: "#000000", width: (1.5 * SHEET) / 64, path, alone: true });
    $("examples").value = "";
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
  // a canvas as high as the sheet, with the drawing on its left
  function onWhite(width) {
    const canvas = Object.assign(document.createElement("canvas"), { width, height: SHEET }), brush = context(canvas);
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, width, SHEET);
    brush.drawImage(paper, 0, 0);
    return canvas;
  }
  $("save-both").addEventListener("click", () => {
    const both = onWhite(2 * SHEET);
    context(both).drawImage($("coloured"), SHEET, 0, SHEET, SHEET);
    save(both, "both.png");
  });
  $("save-drawing").addEventListener("click", () => save(onWhite(SHEET), "drawing.png"));
}
