/* A day that goes on over the end of a page stays one wall. */

document.addEventListener("htmx:load", (event) => {
  const day = event.detail.elt;
  if (!day.matches?.("[data-day]")) return;
  const before = day.previousElementSibling;
  if (before?.dataset.day !== day.dataset.day) return;
  before.querySelector(".wall").append(...day.querySelectorAll(".tile"));
  day.remove();
});
