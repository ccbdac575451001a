/* The image page: the picture closely, its neighbours by keys and fingers. */

import { listenToButtons, listenToKeys, View } from "./zoom.js";

const stage = document.querySelector("[data-stage]");
const words = document.querySelector("[data-zoom-words]");
const narrow = matchMedia("(max-width: 75rem)");
const toldOf = document.querySelector(".told-of");

function go(way) {
  const link = document.querySelector(`a[rel="${way}"]`);
  link?.click();
  return Boolean(link);
}

function turn(key) {
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[key];
  return way ? go(way) : false;
}

/* On a narrow page the stage is as high as the picture, and that no higher than leaves the tools in
   sight, between what stands above it and the tabs below. */
function mostHeight() {
  if (!narrow.matches) return Infinity;
  const high = (part) => document.querySelector(part)?.offsetHeight ?? 0;
  const above = stage.getBoundingClientRect().top + scrollY - high(".notices");
  const room = innerHeight - above - high(".stage__tools") - high(".tab-bar") - 12;
  return Math.min(Math.max(room, innerHeight * 0.4), innerHeight * 0.72);
}

const view = new View([stage], {
  turned: go,
  mostHeight,
  changed: ({ percent }) => {
    words.textContent = `${percent} %`;
  },
});
listenToButtons(view);
new ResizeObserver(() => {
  document.getElementById("main").style.setProperty("--told", `${toldOf.offsetHeight}px`);
  view.draw();
}).observe(toldOf);
listenToKeys(view, turn);

// The neighbours' pictures are there before anybody asks for them, unless data is dear.
addEventListener("load", () => {
  if (navigator.connection?.saveData) return;
  for (const link of document.querySelectorAll("a[data-picture]")) new Image().src = link.dataset.picture;
});

// A field that a menu's answer brought anew is ready for the next word.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.requestConfig.verb === "post") event.detail.target.querySelector?.("input[autofocus]")?.focus();
});
