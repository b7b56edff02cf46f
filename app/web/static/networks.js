// The networks in their worker: each call is a promise of outputs by name.

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
let last = 0;

worker.onmessage = ({ data: { id, outputs, error } }) => {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (error) reject(new Error(error));
  else resolve(outputs);
};
worker.onerror = (event) => {
  for (const { reject } of waiting.values()) reject(new Error(event.message || "the worker could not start"));
  waiting.clear();
};

function call(message) {
  return new Promise((resolve, reject) => {
    waiting.set(++last, { resolve, reject });
    worker.postMessage({ id: last, ...message });
  });
}

export const load = (name) => call({ name });
export const run = (name, inputs) => call({ name, inputs });

// Creatures as ImageData, by the z of their shapes and, where the network mixes, of their colours.
export async function creatures({ latent, mixing, side }, shapes, colours = shapes) {
  const width = (mixing ? 2 : 1) * latent.length, data = new Float32Array(shapes.length * width);
  shapes.forEach((z, i) => {
    data.set(z, i * width);
    if (mixing) data.set(colours[i], i * width + latent.length);
  });
  const { pictures } = await run("generator", { z: { data, dims: [shapes.length, width] } });
  return toImages(pictures, side);
}

// pictures, float32 N x 3 x side x side in [-1, 1], as ImageData
export function toImages(pictures, side) {
  const area = side * side, count = pictures.length / (3 * area);
  return Array.from({ length: count }, (_, n) => {
    const image = new ImageData(side, side);
    for (let i = 0; i < area; i++) {
      for (let c = 0; c < 3; c++) {
        const level = (pictures[(3 * n + c) * area + i] + 1) * 127.5;
        image.data[4 * i + c] = Math.floor(Math.min(255, Math.max(0, level)) + 0.5);
      }
      image.data[4 * i + 3] = 255;
    }
    return image;
  });
}
