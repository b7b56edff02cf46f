// New creatures: a grid; the one that is pressed is shown large, can be varied, fused, downloaded and linked to.

import { creatures as drawn } from "./networks.js";
import { $, fillGrid, latest, numberIn, say, show } from "./page.js";
import { saveAnimation, saveImage } from "./png.js";

const AT_ONCE = 8; // creatures a call, so that the first are seen soon
const FRAMES = 32, FRAME_MS = 100; // of an animation

export function hatch(latents, about, fuse) {
  let creatures = [], round = 0; // those in the grid; the newest request for others
  let pressed = null, chosen = null; // the one that was pressed, and what the sliders have made of it

  // false if another request came first
  async function draw(wanted) {
    const mine = ++round, found = [];
    say("Hatching …");
    for (let start = 0; start < wanted.length; start += AT_ONCE) {
      const part = wanted.slice(start, start + AT_ONCE), images = await drawn(about, part.map(({ z }) => z));
      if (mine !== round) return false;
      found.push(...images.map((image, i) => ({ ...part[i], image })));
      creatures = found;
      fillGrid($("hatched"), images, "Creature", choose, start);
    }
    say(creatures.length > 1 ? `${creatures.length} creatures. Press one to see it large.` : "");
    return true;
  }

  function choose(number) {
    stop();
    pressed = creatures[number];
    see(pressed);
    for (const slider of sliders) slider.value = 0;
  }

  function see(creature) {
    chosen = creature;
    const { address } = chosen;
    show($("large"), chosen.image);
    $("chosen").hidden = false;
    let link = location.pathname + location.search; // of a creature without an address: the page's own
    $("about").textContent = chosen === pressed ? "Like the one before" : "Changed by hand";
    if (address) {
      const { seed, number, truncation } = address;
      $("about").textContent = `Number ${number} of seed ${seed}, truncation ${truncation}`;
      link = `#seed=${seed}&number=${number}&truncation=${truncation}`;
    }
    history.replaceState(null, "", link);
  }

  const addressed = (seed, number, truncation) => ({
    z: latents.draw(seed, number, truncation),
    address: { network: about.network, seed, number, truncation, species: "" },
  });
  // one queue for all, so that the newest is what is seen
  const request = latest(async (wanted, press = false) => {
    if ((await draw(wanted)) && press) $("hatched").firstElementChild.click();
  });
  const start = () => {
    const seed = numberIn($("seed")), truncation = Number($("truncation").value);
    return request(Array.from({ length: numberIn($("count")) }, (_, n) => addressed(seed, n, truncation)));
  };
  const vary = () => {
    const truncation = Number($("truncation").value), seed = numberIn($("seed")), count = numberIn($("count"));
    const others = Array.from({ length: count - 1 }, (_, n) => ({ z: latents.near(chosen.z, seed, n + 1, truncation) }));
    return request([chosen, ...others]);
  };

  // a loop through creatures near the chosen one, shown until another is
  let frames = [], timer = null;
  const animate = latest(async () => {
    say("Animating …");
    const creature = chosen, path = latents.loop(creature.z, numberIn($("seed")), FRAMES), found = [];
    for (let start = 0; start < FRAMES; start += AT_ONCE) found.push(...(await drawn(about, path.slice(start, start + AT_ONCE))));
    say("");
    if (chosen !== creature) return;
    stop();
    frames = found;
    let shown = 0;
    timer = setInterval(() => show($("large"), frames[shown++ % FRAMES]), FRAME_MS);
    say("Download saves the animation.");
  });
  function stop() {
    clearInterval(timer);
    frames = [];
  }

  const sliders = about.directions.map((label) => {
    const slider = Object.assign(document.createElement("input"), { type: "range", min: -4, max: 4, step: 0.25, value: 0 });
    const row = document.createElement("label");
    row.append(`${label} `, slider);
    $("directions").append(row);
    slider.addEventListener("input", () => steer());
    return slider;
  });
  const steer = latest(async () => {
    const from = pressed, z = latents.steered(from.z, sliders.map((slider) => Number(slider.value)));
    const [image] = await drawn(about, [z]);
    if (pressed !== from) return;
    stop();
    see({ z, image });
  });

  $("hatch-form").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  $("truncation").addEventListener("input", () => ($("truncation-value").value = $("truncation").value));
  $("animate").addEventListener("click", animate);
  $("like").addEventListener("click", vary);
  $("first").addEventListener("click", () => fuse("first", chosen));
  $("second").addEventListener("click", () => fuse("second", chosen));
  $("save").addEventListener("click", () => {
    const { address } = chosen;
    if (frames.length) return saveAnimation(frames, FRAME_MS, "creature.png");
    saveImage(chosen.image, address ? `${address.seed}-${address.number}.png` : "creature.png", address);
  });

  // the creature that the address in the URL names, else the first ones of seed 0
  return () => {
    const named = new URLSearchParams(location.hash.slice(1));
    if (!named.has("seed")) return start();
    const [seed, number] = ["seed", "number"].map((key) => Math.max(0, Math.round(Number(named.get(key))) || 0));
    const truncation = Math.min(2, Math.max(0, Number(named.get("truncation") ?? 0.8) || 0));
    $("seed").value = seed;
    $("truncation").value = truncation;
    $("truncation-value").value = $("truncation").value; // as far as the slider goes
    return request([addressed(seed, number, truncation)], true);
  };
}
