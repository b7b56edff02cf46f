// A drawing as strokes: lines in black, hints in colours, and the eraser; drawn again at any size. One that is `alone`
// hides all before it, which come back when it is undone.

export const SHEET = 512; // its side, in which points and widths are
const LINE = 1.5; // width of lines at a side of 64, as the network knows them

export class Drawing {
  constructor() {
    this.strokes = [];
    this.undone = [];
  }

  get shown() {
    return this.strokes.slice(Math.max(0, this.strokes.findLastIndex(({ alone }) => alone)));
  }

  add(stroke) {
    this.strokes.push(stroke);
    this.undone = [];
  }

  undo() {
    if (this.strokes.length) this.undone.push(this.strokes.pop());
  }

  redo() {
    if (this.undone.length) this.strokes.push(this.undone.pop());
  }

  // takes the newest stroke back for good
  drop() {
    this.strokes.pop();
  }

  // as it is now, whatever is drawn later
  copy() {
    const still = new Drawing();
    still.strokes = this.shown.map((stroke) => ({ ...stroke, points: stroke.points?.slice() }));
    return still;
  }

  // draws the strokes of a kind, `line` or `hint`, and the eraser's over them
  paint(context, kind, width = (stroke) => stroke.width) {
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.shown) {
      if (stroke.kind !== kind && stroke.kind !== "erase") continue;
      context.globalCompositeOperation = stroke.kind === "erase" ? "destination-out" : "source-over";
      context.strokeStyle = stroke.kind === "erase" ? "#000" : stroke.colour;
      context.lineWidth = stroke.kind === "erase" ? stroke.width : width(stroke);
      context.stroke(pathOf(stroke));
    }
    context.globalCompositeOperation = "source-over";
  }

  // its lines' centre and the side of the square around them, null if there are none
  frame(margin) {
    const { data } = raster(SHEET, (context) => this.paint(context, "line"));
    let left = SHEET, right = -1, top = SHEET, bottom = -1;
    for (let y = 0; y < SHEET; y++) {
      for (let x = 0; x < SHEET; x++) {
        if (data[4 * (y * SHEET + x) + 3] < 128) continue;
        [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      }
    }
    if (right < 0) return null;
    const side = Math.max(right - left + 1, bottom - top + 1) / (1 - 2 * margin);
    return { side, x: (left + right + 1) / 2, y: (top + bottom + 1) / 2 };
  }

  // the strokes of a kind within a frame, as RGBA pixels of a square
  fitted(frame, px, kind) {
    const scale = px / frame.side;
    return raster(px, (context) => {
      context.setTransform(scale, 0, 0, scale, px / 2 - frame.x * scale, px / 2 - frame.y * scale);
      const least = (LINE * px) / 64 / scale;
      this.paint(context, kind, (stroke) => (kind === "line" ? least : Math.max(stroke.width, least)));
    });
  }
}

function pathOf({ points, path }) {
  const found = new Path2D();
  if (path) {
    found.addPath(new Path2D(path), new DOMMatrix().scale(SHEET / 64));
    return found;
  }
  found.moveTo(...points[0]);
  for (const point of points) found.lineTo(...point);
  return found;
}

function raster(px, paint) {
  const context = new OffscreenCanvas(px, px).getContext("2d", { willReadFrequently: true });
  paint(context);
  return context.getImageData(0, 0, px, px);
}
