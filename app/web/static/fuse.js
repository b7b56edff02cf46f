// From one creature to another.

import { between } from "./latents.js";
import { creatures } from "./networks.js";
import { $, fillGrid, latest, say, show } from "./page.js";
import { saveImage } from "./png.js";

const STEPS = 9;

export function fuser(about, open) {
  const ends = {};
  let images = [], seen = null;

  const mix = latest(async () => {
    say("Fusing …");
    const [first, second] = [ends.first.z, ends.second.z];
    images = await creatures(about, Array.from({ length: STEPS }, (_, i) => between(first, second, i / (STEPS - 1))));
    if (about.mixing) {
      const others = await creatures(about, [first, second], [second, first]);
      fillGrid($("mixed"), others, "The shape of one, the colours of the other:", (n) => look(others[n]));
    }
    $("between").disabled = $("save-fused").disabled = false;
    $("fuse-hint").hidden = true;
    slide();
    say("Move the slider from the first to the second.");
  });
  const slide = () => images.length && look(images[Number($("between").value)]);
  const look = (image) => show($("fused"), (seen = image));

  $("between").addEventListener("input", slide);
  $("save-fused").addEventListener("click", () => saveImage(seen, "fused.png"));
  return (place, creature) => {
    ends[place] = creature;
    show($(`fuse-${place}`), creature.image);
    if (!ends.first || !ends.second) return say(`Taken as ${place}. Take another one as ${place === "first" ? "second" : "first"}.`);
    open("fuse");
    mix();
  };
}
