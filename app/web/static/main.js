import { colour } from "./colour.js";
import { fuser } from "./fuse.js";
import { hatch } from "./hatch.js";
import { Latents } from "./latents.js";
import { load } from "./networks.js";
import { $, say } from "./page.js";

const TABS = ["hatch", "fuse", "colour"];

function open(name) {
  for (const tab of TABS) {
    $(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    $(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    $(tab).hidden = tab !== name;
  }
  say("");
  if (name === "colour") load("pix2pix").catch((error) => say(`The colourer could not be loaded: ${error.message}`));
}

for (const [i, name] of TABS.entries()) {
  $(`tab-${name}`).addEventListener("click", () => open(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(i + step + TABS.length) % TABS.length];
    open(next);
    $(`tab-${next}`).focus();
  });
}

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

try {
  const network = load("generator");
  const about = await (await get("about.json")).json();
  const buffer = await (await get("numbers.bin")).arrayBuffer();
  const arrays = {};
  let offset = 0;
  for (const [name, length] of Object.entries(about.numbers)) {
    arrays[name] = new Float64Array(buffer, offset, length);
    offset += 8 * length;
  }
  $("credit").textContent = about.credit;
  const begin = hatch(new Latents(about.latent, arrays), about, fuser(about, open));
  colour(about, arrays.palettes);
  await network;
  await begin();
  addEventListener("hashchange", begin);
  navigator.serviceWorker?.register("sw.js").catch(() => {}); // where it may not, the page needs the network
} catch (error) {
  say(`This page could not start: ${error.message}`);
}
