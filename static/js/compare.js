/* Images beside each other: zoomed and moved together. */

import { listenToButtons, listenToKeys, View } from "./zoom.js";

const words = document.querySelector("[data-zoom-words]");
const frames = [...document.querySelectorAll("[data-pane]")];

if (frames.length) {
  const view = new View(frames, {
    grow: true, // a small image is as large as the others, or nothing could be compared
    changed: ({ k }) => {
      words.textContent = `${k.toFixed(1)} ×`;
    },
  });
  listenToButtons(view);
  listenToKeys(view);
}
