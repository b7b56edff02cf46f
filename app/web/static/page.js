// What the tabs share.

export const $ = (id) => document.getElementById(id);

export function say(text) {
  $("status").textContent = text;
}

// what draws on a canvas whose pixels are also read
export function context(canvas) {
  return canvas.getContext("2d", { willReadFrequently: true });
}

// a canvas with an image, at its own size
export function canvasOf(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  context(canvas).putImageData(image, 0, 0);
  return canvas;
}

// a canvas with an image, enlarged smoothly
export function enlarged(image, scale) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width * scale, image.height * scale];
  show(canvas, image);
  return canvas;
}

// an image on a canvas, enlarged smoothly to its size
export function show(canvas, image) {
  const brush = context(canvas);
  brush.clearRect(0, 0, canvas.width, canvas.height); // or its blended edges would show what was there before
  brush.imageSmoothingEnabled = true;
  brush.imageSmoothingQuality = "high";
  brush.drawImage(canvasOf(image), 0, 0, canvas.width, canvas.height);
}

// buttons with pictures, after the first `kept` that are there; `pick` is called with the number of the one that is pressed
export function fillGrid(grid, images, name, pick, kept = 0) {
  const buttons = images.map((image, i) => {
    const button = document.createElement("button"), number = kept + i;
    button.type = "button";
    button.setAttribute("aria-label", `${name} ${number}`);
    button.setAttribute("aria-pressed", "false");
    button.append(canvasOf(image));
    button.addEventListener("click", () => {
      for (const other of grid.children) other.setAttribute("aria-pressed", String(other === button));
      pick(number);
    });
    return button;
  });
  if (kept) grid.append(...buttons);
  else grid.replaceChildren(...buttons);
}

// a whole number in an input, or its nearest bound
export function numberIn(input) {
  const value = Math.round(Number(input.value)) || 0;
  return Math.min(Number(input.max), Math.max(Number(input.min), value));
}

// runs the newest of several requests and drops those that came between
export function latest(work) {
  let running = false, wanted = null;
  return async (...inputs) => {
    wanted = inputs;
    if (running) return;
    running = true;
    while (wanted) {
      const next = wanted;
      wanted = null;
      try {
        await work(...next);
      } catch (error) {
        say(`That did not work: ${error.message}`);
      }
    }
    running = false;
  };
}
