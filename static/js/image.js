/* The image page: the picture closely, its neighbours by keys and fingers. */

import { listenToButtons, listenToKeys, View } from "./zoom.js";

const stage = document.querySelector("[data-stage]");
const words = document.querySelector("[data-zoom-words]");
const narrow = matchMedia("(max-width: 75rem)");

function go(way) {
  const link = document.querySelector(`a[rel="${way}"]`);
  link?.click();
  return Boolean(link);
}

function turn(key) {
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[key];
  return way ? go(way) : false;
}

const view = new View([stage], {
  turned: go,
  // On a narrow page the stage is as high as the picture, and that no higher than leaves the tools in sight.
  mostHeight: () => (narrow.matches ? innerHeight * 0.72 : Infinity),
  changed: ({ percent }) => {
    words.textContent = `${percent} %`;
  },
});
listenToButtons(view);
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
