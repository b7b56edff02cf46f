// PNG files of pictures, with a note in their text as `python -m app generate` writes it.

const table = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// a PNG, as bytes, with a tEXt chunk after its header
export function withText(png, key, text) {
  const body = new TextEncoder().encode(`tEXt${key}\0${text}`), chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, checksum(body));
  const header = 33; // signature and IHDR
  return new Blob([png.slice(0, header), chunk, png.slice(header)], { type: "image/png" });
}

export async function save(canvas, name, note) {
  let blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (note) blob = withText(new Uint8Array(await blob.arrayBuffer()), "creature", JSON.stringify(note));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
