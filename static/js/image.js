/* The image page by keyboard, and the picture at its own size. */

const stage = document.querySelector("[data-stage]");
const words = document.querySelector("[data-zoom-words]");

function zoom() {
  const full = stage.classList.toggle("is-full");
  const picture = stage.querySelector("img");
  if (full) picture.src = stage.dataset.original;
  words.textContent = full ? "Fit to window" : "100 %";
  document.querySelector("[data-zoom]").setAttribute("aria-pressed", full);
}

document.querySelector("[data-zoom]").addEventListener("click", zoom);
stage.querySelector("img").addEventListener("click", zoom);

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest("input, textarea, select, summary")) return;
  const way = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  document.querySelector(`a[rel="${way === "previous" ? "prev" : way}"]`)?.click();
});
