/* The library: a wall without end, filters that answer at once, and images chosen by mouse, touch
   and keyboard. What is chosen is what is ticked; without this file the same forms do the same. */

import { closeSheets } from "./filters.js";

const LOOK_AGAIN = 20_000; // milliseconds between looks for new images
const LONG_PRESS = 500; // milliseconds
const TYPING = "input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]";

let pointer; // what was last put on the page: "mouse", "touch" or "pen"
let anchor; // the tile from which Shift reaches
let pressed; // the timer of a finger that rests on a tile
let held = false; // whether it has rested long enough

const wall = () => document.querySelector("[data-chosen]");
const tiles = () => [...(wall()?.querySelectorAll(".tile:not([hidden])") ?? [])];
const box = (tile) => tile.querySelector("input[name='image']");
const ticked = () => [...(wall()?.querySelectorAll(".tile:not([hidden]) input[name='image']:checked") ?? [])];
const furtherDown = () => document.querySelector("#days > .sentinel");
const choosable = (tile) => box(tile) && !box(tile).disabled;

/* ── Days ── */

document.addEventListener("htmx:load", (event) => {
  const day = event.detail.elt;
  if (!day.closest?.("[data-chosen]")) return;
  const before = day.previousElementSibling;
  // A day that goes on over the end of a page stays one wall.
  if (day.matches("[data-day]") && before?.dataset.day === day.dataset.day) {
    before.querySelector(".wall").append(...day.querySelectorAll(".tile"));
    day.remove();
  }
  count();
  tellHowMany();
});

/* ── Choosing ── */

function count() {
  const bar = document.querySelector(".selection-bar");
  if (!bar) return;
  const boxes = ticked();
  bar.querySelector("[data-count]").textContent = boxes.length.toLocaleString("en");
  const like = bar.querySelector("[data-like]");
  if (like) {
    const all = boxes.length > 0 && boxes.every((one) => isLiked(one.closest(".tile")));
    like.value = all ? "unfavourite" : "favourite";
    like.querySelector("span").textContent = all ? "Take out of favourites" : "Favourite";
  }
  const bin = bar.querySelector("[data-bin]");
  if (bin) {
    const movable = boxes.filter((one) => one.closest("[data-movable]")).length;
    bin.hidden = !movable;
    bin.querySelector("span").textContent = movable < boxes.length ? `Move ${movable} of ${boxes.length} to trash` : "Move to trash";
  }
  // Who chooses all that they see may take it for all there is.
  const most = boxes.length > 0 && boxes.length === tiles().length && Boolean(furtherDown());
  for (const part of bar.querySelectorAll("[data-of-more]")) part.hidden = !most;
  const compare = bar.querySelector("[data-compare]");
  if (compare) compare.hidden = boxes.length < 2 || boxes.length > 4; // no more stand beside each other
  // With many chosen the bar covers what stands at the foot of the page.
  wall().toggleAttribute("data-choosing", boxes.length > 0);
  for (const words of bar.querySelectorAll(".button > span")) words.parentElement.title = words.textContent; // a narrow bar shows signs alone
}

function tick(tile, on = true) {
  if (choosable(tile)) box(tile).checked = on;
}

function tickRange(from, to, on = true) {
  const all = tiles();
  const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  if (first < 0) return tick(to, on);
  for (const tile of all.slice(first, last + 1)) tick(tile, on);
}

function tickNone() {
  const stood = standsOnWhatGoes();
  for (const one of ticked()) one.checked = false;
  if (wanted) wanted.chosen = [];
  count();
  if (stood) goOnAtWall();
  anchor = undefined;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-chosen] input[name='image']")) count();
});
document.addEventListener("reset", (event) => {
  if (!event.target.matches("[data-chosen]")) return;
  event.preventDefault(); // else it is done only after this, when the focus may be gone
  tickNone();
});

document.addEventListener("click", (event) => {
  const tile = event.target.closest?.("[data-chosen] .tile");
  if (!tile) return;
  if (held) {
    held = false;
    event.preventDefault();
    return;
  }
  if (event.target.matches("input[name='image']")) {
    if (event.shiftKey && anchor) tickRange(anchor, tile, event.target.checked);
    anchor = tile;
    count();
    return;
  }
  const picture = event.target.closest("a:not(.picture-button)");
  if (!picture || !choosable(tile)) return;
  // While some are chosen, a finger on a picture chooses; so does Shift with the mouse.
  // (Before 18.3 Safari does not say what clicks; a key clicks without a count.)
  const finger = pointer === "touch" && event.detail > 0 && ticked().length > 0;
  if (!finger && !event.shiftKey) return;
  event.preventDefault();
  if (finger) tick(tile, !box(tile).checked);
  else tickRange(anchor ?? tile, tile);
  anchor = tile;
  count();
});
// Shift and a click would mark the words of the page instead.
document.addEventListener("mousedown", (event) => {
  if (event.shiftKey && event.target.closest?.("[data-chosen] .tile")) event.preventDefault();
});

function letGo() {
  clearTimeout(pressed);
  pressed = undefined;
}

document.addEventListener("pointerdown", (event) => {
  pointer = event.pointerType;
  const tile = event.target.closest?.("[data-chosen] .tile > a")?.parentElement;
  held = false;
  if (!tile || event.pointerType !== "touch" || !choosable(tile)) return;
  pressed = setTimeout(() => {
    held = true;
    tick(tile, !box(tile).checked);
    anchor = tile;
    navigator.vibrate?.(10);
    count();
  }, LONG_PRESS);
});
for (const name of ["pointerup", "pointercancel", "pointermove", "scroll"]) {
  document.addEventListener(name, (event) => {
    const still = name === "pointermove" && Math.hypot(event.movementX, event.movementY) < 6;
    if (!still) letGo();
  }, { passive: true });
}
document.addEventListener("contextmenu", (event) => {
  if ((held || pressed) && event.target.closest?.("[data-chosen] .tile")) event.preventDefault();
});

/* ── Keyboard ── */

/* The tile that an arrow leads to: by order sideways, by where it stands up and down. */
function neighbour(tile, key) {
  const all = tiles();
  const at = all.indexOf(tile);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  const here = tile.getBoundingClientRect();
  const middle = here.left + here.width / 2;
  const down = key === "ArrowDown";
  let best, top, off;
  for (const other of down ? all.slice(at + 1) : all.slice(0, at).reverse()) {
    const there = other.getBoundingClientRect();
    if (down ? there.top < here.bottom - 2 : there.bottom > here.top + 2) continue;
    if (top !== undefined && Math.abs(there.top - top) > 2) break; // a row further
    top = there.top;
    const distance = Math.abs(there.left + there.width / 2 - middle);
    if (off === undefined || distance < off) [best, off] = [other, distance];
  }
  return best;
}

function focusTile(tile) {
  const target = tile.querySelector("a") ?? box(tile);
  target.focus({ preventScroll: true });
  tile.scrollIntoView({ block: "nearest" });
}

/* Whether somebody stands by key on what a deed may take away: a button of the bar, or of a notice. */
const standsOnWhatGoes = () => Boolean(document.activeElement?.matches(".selection-bar :focus-visible, #notices :focus-visible"));

/* The focus goes on where they chose last or next to it; where nothing is left, to what is told. */
function goOnAtWall() {
  const here = document.activeElement;
  if (here !== document.body && here.getClientRects().length) return;
  const all = tiles();
  const near = anchor?.isConnected
    ? (all.find((one) => one === anchor || anchor.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) ?? all.at(-1))
    : all.find((one) => one.getBoundingClientRect().bottom > 0);
  if (near) focusTile(near);
  else document.querySelector("#notices button")?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  const typing = event.target.matches?.(TYPING);
  const sheet = document.querySelector(".sheet:popover-open");
  if (event.key === "Enter" && typing && sheet?.contains(event.target) && sheet.closest("[data-chosen]")) {
    event.preventDefault();
    sheet.querySelector(".button--primary").click();
    return;
  }
  if (typing || sheet) return;
  if (event.key === "/" && !event.ctrlKey && !event.metaKey) {
    const search = document.getElementById("q");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
    return;
  }
  if (!wall()) return;
  if (event.key === "Escape" && ticked().length) return tickNone();
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    for (const tile of tiles()) tick(tile);
    return count();
  }
  const tile = event.target.closest?.("[data-chosen] .tile");
  if (!tile) return;
  if (event.key === " " && !event.target.matches("input, button, a.picture-button")) {
    event.preventDefault();
    if (event.shiftKey && anchor) tickRange(anchor, tile);
    else tick(tile, !box(tile).checked);
    anchor = tile;
    return count();
  }
  if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const next = neighbour(tile, event.key);
  if (!next) return;
  if (event.shiftKey) {
    anchor ??= tile;
    tickRange(anchor, next);
    count();
  }
  focusTile(next);
});

/* ── What is done with them ── */

let sentBy; // the button of the deed that is on its way

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-chosen]")) {
    sentBy = event.submitter;
    if (sentBy?.dataset.onward) sentBy.formAction = sentBy.dataset.onward;
  }
  if (event.target.matches("[data-filters]")) closeSheets();
}, true);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-chosen] button[data-here]");
  if (button) sentBy = button;
}, true);

// A request has few fields: all images go in one, which also lets ten thousand be chosen.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches?.("[data-chosen]")) return;
  const data = event.formData;
  const images = data.getAll("image");
  data.delete("image");
  if (sentBy && "onward" in sentBy.dataset) for (const name of ["collection", "shown", "name", "tag"]) data.delete(name);
  data.set("image", images.join(","));
}, true);

/* All that the page looks for, and not only what is loaded of it, is named by its address. */
document.addEventListener("submit", (event) => {
  if (event.target.id !== "all") return;
  for (const field of event.target.querySelectorAll("[data-asked]")) field.remove();
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    field.dataset.asked = "";
    event.target.append(field);
  }
});

function isLiked(tile) {
  return tile.querySelector(".heart")?.getAttribute("aria-pressed") === "true";
}

function like(tile, on) {
  const heart = tile.querySelector(".heart");
  if (!heart) return;
  heart.setAttribute("aria-pressed", String(on));
  heart.value = on ? "0" : "1";
}

/* Show on the wall what the answer says was done, to those images alone; what is gone leaves it. */
function apply(deed, images, gone) {
  const named = new Set([...images, ...gone]);
  const found = document.getElementById("found");
  const those = [...document.querySelectorAll("[data-chosen] .tile[data-image]")].filter((tile) => named.has(tile.dataset.image));
  const inTrash = wall()?.hasAttribute("data-trash");
  for (const tile of those) {
    if (deed === "favourite" || deed === "unfavourite") like(tile, deed === "favourite");
    const leaves =
      gone.includes(tile.dataset.image) ||
      deed === "trash" ||
      (deed === "restore" && inTrash) ||
      (deed === "uncollect" && found?.hasAttribute("data-collection")) ||
      (deed === "unfavourite" && found?.hasAttribute("data-favourites"));
    if (leaves) {
      tick(tile, false);
      tile.hidden = true;
    } else if (deed === "restore") tile.hidden = false;
  }
  count();
  tellHowMany();
  if (!tiles().length) drawAgain();
  else dispatchEvent(new Event("scroll")); // what is loaded when it is seen may be seen now
}

function tellHowMany() {
  const told = document.querySelector("[data-how-many]");
  if (!told) return;
  const shown = tiles().length;
  const more = furtherDown();
  told.textContent = `${shown.toLocaleString("en")}${more ? " or more" : ""} image${shown === 1 && !more ? "" : "s"}`;
}

/* Nothing is on the wall any more, or nothing was: what there is to see now, or that there is nothing. */
function drawAgain() {
  const form = document.querySelector("[data-filters]");
  if (form) form.dispatchEvent(new Event("change", { bubbles: true }));
  else htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerHTML" });
}

let stood = false; // by key, on what the answer may take away
document.addEventListener("htmx:beforeSwap", () => {
  stood = standsOnWhatGoes();
});
document.addEventListener("htmx:load", (event) => {
  const told = event.detail.elt;
  if (!told.matches?.("[data-told]")) return;
  const { told: deed, images = "", gone = "" } = told.dataset;
  if (deed || gone) {
    closeSheets();
    for (const field of document.querySelectorAll(".sheet--bar input")) field.value = "";
    apply(deed, images.split(","), gone.split(","));
  }
  // One word at a time: an older one would offer to restore what is here again.
  for (const other of document.querySelectorAll("#notices > [data-told]")) if (other !== told) other.remove();
  if (stood) goOnAtWall();
});

/* ── Back from an image: to the place that one left, and to what was chosen ── */

const PLACE = "library place";
let wanted; // the place to come back to, and what is still to be chosen again
let isElsewhere = false; // whether somebody has moved on their own since the page came
let soon; // the timer of the next look for it

addEventListener("pagehide", () => {
  if (!document.querySelector("[data-filters]")) return;
  const focused = document.activeElement?.closest?.(".tile");
  const tile = focused ?? tiles().find((one) => one.getBoundingClientRect().bottom > 0);
  if (!tile) return;
  const { top } = tile.getBoundingClientRect();
  const place = { address: location.href, image: tile.dataset.image, top, focused: Boolean(focused), tiles: Math.max(tiles().length, wanted?.tiles ?? 0), y: scrollY, chosen: [...ticked().map((one) => one.value), ...(wanted?.chosen ?? [])] };
  sessionStorage.setItem(PLACE, JSON.stringify(place));
});

function isBack() {
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") return true;
  return /^\/t\/[^/]+\/images\//.test(document.referrer && new URL(document.referrer).pathname);
}

const tileOf = (image) => document.querySelector(`[data-chosen] .tile[data-image="${CSS.escape(image)}"]`);

/* The images are loaded page after page, as if one had scrolled, until what was seen and chosen is there. */
function goOnBack() {
  if (wanted?.address !== location.href) wanted = undefined; // a filter leads elsewhere
  if (!wanted) return;
  const there = wanted.chosen.filter(tileOf);
  for (const image of there) tick(tileOf(image));
  wanted.chosen = wanted.chosen.filter((image) => !there.includes(image));
  count();
  const further = furtherDown();
  const lacks = wanted.chosen.length > 0 || !(isElsewhere || tileOf(wanted.image));
  if (lacks && further?.hasAttribute("hx-get") && tiles().length < wanted.tiles) {
    if (further.hasAttribute("data-hx-revealed")) return;
    further.setAttribute("data-hx-revealed", "true"); // as htmx does, that it is not asked for twice
    htmx.trigger(further, "revealed");
    return;
  }
  if (!isElsewhere) goTo(wanted);
  wanted = undefined;
}

function goTo({ image, top, y, focused }) {
  const tile = tileOf(image);
  if (tile) scrollBy({ top: tile.getBoundingClientRect().top - top, behavior: "instant" });
  else scrollTo({ top: y, behavior: "instant" }); // it is in the trash by now
  if (focused) tile?.querySelector("a").focus({ preventScroll: true });
}

document.addEventListener("htmx:load", (event) => {
  if (event.target === document.body) {
    const place = JSON.parse(sessionStorage.getItem(PLACE));
    if (place?.address === location.href && isBack()) wanted = place;
  }
  clearTimeout(soon);
  if (wanted) soon = setTimeout(goOnBack);
});
// Whoever moves on their own is not moved; what they chose stays chosen.
for (const name of ["wheel", "touchmove", "keydown", "mousedown"]) {
  addEventListener(name, () => {
    isElsewhere = true;
  }, { passive: true });
}

/* ── New images: told, never put under the eye ── */

async function lookForNew() {
  const place = document.querySelector("[data-newer]");
  if (!place || document.hidden) return;
  try {
    const answer = await fetch(place.dataset.newer, { headers: { "HX-Request": "true" } });
    if (!answer.ok || answer.redirected || !place.isConnected) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-new]");
    const shown = place.querySelector("[data-new]");
    if (!drawn || drawn.textContent === (shown?.textContent ?? "")) return;
    if (shown) shown.replaceWith(drawn);
    else place.append(drawn);
  } catch {
    // The next look comes soon.
  }
}

setInterval(lookForNew, LOOK_AGAIN);
document.addEventListener("visibilitychange", lookForNew);
addEventListener("pageshow", count);
