// PNG files of pictures, with a note in their text as `python -m app generate` writes it, and animations of several.

import { cutOut } from "./cutout.js";
import { $, canvasOf, context, enlarged } from "./page.js";

const HEADER = 33; // bytes of the signature and IHDR
const table = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// a chunk of a kind, of four letters, with parts of content: bytes, or numbers of 32 bits
function chunk(kind, ...parts) {
  const content = parts.map((part) => {
    if (typeof part !== "number") return part;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, part);
    return bytes;
  });
  const length = content.reduce((sum, { length }) => sum + length, 0), found = new Uint8Array(length + 12);
  const view = new DataView(found.buffer);
  view.setUint32(0, length);
  found.set(new TextEncoder().encode(kind), 4);
  content.reduce((offset, part) => (found.set(part, offset), offset + part.length), 8);
  view.setUint32(length + 8, checksum(found.subarray(4, length + 8)));
  return found;
}

async function encoded(canvas) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new Uint8Array(await blob.arrayBuffer());
}

// the contents of a PNG's IDAT chunks
function pixels(png) {
  const found = [], view = new DataView(png.buffer);
  for (let at = HEADER; at < png.length; at += view.getUint32(at) + 12) {
    const kind = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    if (kind === "IDAT") found.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  return found;
}

function download(parts, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "image/png" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export async function save(canvas, name, note) {
  const png = await encoded(canvas);
  const text = note ? [chunk("tEXt", new TextEncoder().encode(`creature\0${JSON.stringify(note)}`))] : [];
  download([png.subarray(0, HEADER), ...text, png.subarray(HEADER)], name);
}

// a canvas with an image, at the scale and background that are chosen for downloads; `finish` draws it at a scale,
// instead of enlarging it smoothly
function finished(image, finish = null) {
  const scale = Number($("scale").value), cut = $("cut").checked;
  if (!finish) return enlarged(cut ? cutOut(image) : image, scale);
  const canvas = finish(scale);
  return cut ? canvasOf(cutOut(context(canvas).getImageData(0, 0, canvas.width, canvas.height))) : canvas;
}

export const saveImage = (image, name, note, finish) => save(finished(image, finish), name, note);

// images of one size as an animated PNG without end
export async function saveAnimation(images, milliseconds, name) {
  const parts = [], frames = images.map((image) => finished(image)); // before the options can change
  // a fraction of a second; then: each frame in place of the one before
  const delay = new Uint8Array([milliseconds >> 8, milliseconds & 255, 1000 >> 8, 1000 & 255, 0, 0]);
  let sequence = 0;
  for (const canvas of frames) {
    const png = await encoded(canvas);
    if (!parts.length) parts.push(png.subarray(0, HEADER), chunk("acTL", frames.length, 0));
    parts.push(chunk("fcTL", sequence++, canvas.width, canvas.height, 0, 0, delay));
    for (const data of pixels(png)) parts.push(sequence === 1 ? chunk("IDAT", data) : chunk("fdAT", sequence++, data));
  }
  download([...parts, chunk("IEND")], name);
}
