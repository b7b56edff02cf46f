// From one creature to another.

import { between } from "./latents.js";
import { run, toImages } from "./networks.js";
import { $, latest, say, show } from "./page.js";
import { save } from "./png.js";

const STEPS = 9;

export function fuser(about, open) {
  const ends = {};
  let images = [];

  const mix = latest(async () => {
    say("Fusing …");
    const length = ends.first.z.length, data = new Float32Array(STEPS * length);
    for (let i = 0; i < STEPS; i++) data.set(between(ends.first.z, ends.second.z, i / (STEPS - 1)), i * length);
    const { pictures } = await run("generator", { z: { data, dims: [STEPS, length] } });
    images = toImages(pictures, about.side);
    $("between").disabled = $("save-fused").disabled = false;
    $("fuse-hint").hidden = true;
    slide();
    say("Move the slider from the first to the second.");
  });
  const slide = () => images.length && show($("fused"), images[Number($("between").value)]);

  $("between").addEventListener("input", slide);
  $("save-fused").addEventListener("click", () => save($("fused"), "fused.png"));
  return (place, creature) => {
    ends[place] = creature;
    show($(`fuse-${place}`), creature.image);
    if (!ends.first || !ends.second) return say(`Taken as ${place}. Take another one as ${place === "first" ? "second" : "first"}.`);
    open("fuse");
    mix();
  };
}
