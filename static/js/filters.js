/* The sheets that open from a button over the wall or under it, and the filters, which answer at once. */

/* ── Sheets ── */

document.addEventListener("toggle", (event) => {
  const sheet = event.target;
  if (!sheet.matches?.(".sheet")) return;
  if (event.newState === "open") {
    if (sheet.closest("[data-filters]")) stay(sheet);
    (sheet.querySelector("input:checked") ?? sheet.querySelector("input, select, a, button"))?.focus();
    return;
  }
  letStand(sheet);
  // The button that opened it may be another by now: a filter redraws them.
  const focused = document.activeElement;
  if (focused === document.body || sheet.contains(focused)) document.querySelector(`[popovertarget="${sheet.id}"]:not(.sheet__done)`)?.focus({ preventScroll: true });
}, true);
addEventListener("resize", () => {
  for (const sheet of document.querySelectorAll(".sheet[data-stays]")) letStand(sheet);
});

// A tick redraws the buttons and their rows: an open sheet stays under the mouse, where it opened.
function stay(sheet) {
  const { left, top } = sheet.getBoundingClientRect();
  sheet.style.setProperty("--left", `${left}px`);
  sheet.style.setProperty("--top", `${top}px`);
  sheet.setAttribute("data-stays", "");
}

function letStand(sheet) {
  sheet.removeAttribute("data-stays");
}

export function closeSheets() {
  for (const sheet of document.querySelectorAll(".sheet:popover-open")) sheet.hidePopover();
}

/* ── Filters ── */

document.addEventListener("click", (event) => {
  const form = document.querySelector("[data-filters]");
  const link = event.target.closest?.("[data-off], [data-flip], [data-since]");
  if (!form || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { off, flip, since } = link.dataset;
  for (const name of off?.split(" ") ?? []) {
    for (const field of form.querySelectorAll(`[name="${name}"]`)) {
      if (field.type === "checkbox") field.checked = false;
      else if (field.type === "radio") field.checked = field.value === "";
      else field.value = "";
    }
  }
  if (flip) form.elements[flip].checked = !form.elements[flip].checked;
  if (since) {
    form.elements.since.value = since;
    form.elements.until.value = "";
    closeSheets();
  }
  form.dispatchEvent(new Event("change", { bubbles: true }));
});
// What is there already is not drawn anew: somebody may be about to press it.
let asked; // what the filters said when the page was last asked for
document.addEventListener("htmx:confirm", (event) => {
  const { elt, triggeringEvent } = event.detail;
  if (!elt.matches("[data-filters]")) return;
  const said = new URLSearchParams(new FormData(elt)).toString();
  if (said === asked && triggeringEvent?.type !== "change") event.preventDefault();
  asked = said;
});
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:historyRestore"]) {
  document.addEventListener(name, () => {
    asked = undefined;
  });
}
// Typing that pauses and goes on is one step for Back, and not one for each pause.
let typed = false; // whether the last step was made by it
document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
  const { history: step, requestConfig } = event.detail;
  const isTyping = requestConfig.triggeringEvent?.type === "input";
  if (isTyping && typed) step.type = "replace";
  typed = isTyping;
});
for (const name of ["focusout", "popstate"]) {
  addEventListener(name, () => {
    typed = false;
  });
}
// The button that was pressed is drawn anew: the focus goes to the one in its place.
document.addEventListener("htmx:beforeSwap", () => {
  const focused = document.activeElement?.closest?.("#filter-buttons a, #filter-buttons button");
  if (!focused) return;
  const at = [...document.getElementById("filter-buttons").children].findIndex((one) => one.contains(focused));
  setTimeout(() => {
    const there = document.getElementById("filter-buttons")?.children[at];
    if (document.activeElement === document.body) (there?.matches("a, button") ? there : there?.querySelector("button"))?.focus();
  }, 50);
});
