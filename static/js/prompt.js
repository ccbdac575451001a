/* The prompt bar: what it will cost and leave follows every change; Ctrl or Cmd and Enter send. */

const number = new Intl.NumberFormat(document.documentElement.lang || "en");
const form = document.getElementById("prompt-form");
const settings = document.getElementById("settings");
const menu = document.getElementById("models");

function images(count) {
  return `${number.format(count)} image${count === 1 ? "" : "s"}`;
}

function say(name, text) {
  for (const place of document.querySelectorAll(`[data-bill="${name}"]`)) place.textContent = text;
}

function tellCost() {
  const price = Number(document.getElementById("bill").dataset.price);
  const count = Number(form.elements.namedItem("count")?.value ?? 1) || 1;
  const cost = price * count;
  say("images", `${images(count)} at ${number.format(price)}`);
  say("cost", `${number.format(cost)} credits`);
  say("button", `Make ${images(count)} · ${number.format(cost)} credits`);
  for (const left of document.querySelectorAll("[data-left]")) {
    const after = Number(left.dataset.left) - cost;
    left.textContent = number.format(after);
    left.classList.toggle("is-over", after < 0);
  }
}

function valueOf(name) {
  return form.elements.namedItem(name)?.value ?? "";
}

function tellFields() {
  for (const output of settings.querySelectorAll("output[data-output]")) {
    output.textContent = valueOf(output.htmlFor.value.replace("field-", "")) + output.dataset.output;
  }
  const size = settings.querySelector("output[data-size]");
  if (size) {
    const chosen = valueOf("size");
    const sides = chosen === "own" ? [valueOf("size_width"), valueOf("size_height")] : chosen.split("x");
    size.textContent = sides.length === 2 ? sides.join(" × ") : "";
  }
  for (const field of settings.querySelectorAll("[data-only-with]")) {
    field.hidden = !field.dataset.onlyValues.split(" ").includes(valueOf(field.dataset.onlyWith));
  }
}

function tell() {
  tellFields();
  tellCost();
}

function forgetFaults() {
  for (const fault of document.querySelectorAll("#prompt-errors > *, #settings .field__error")) fault.remove();
  for (const field of document.querySelectorAll("#settings [aria-invalid]")) field.removeAttribute("aria-invalid");
}

function afterAnswer() {
  tell();
  const chosen = valueOf("model");
  for (const model of menu.querySelectorAll("[data-model]")) {
    if (model.dataset.model === chosen) model.setAttribute("aria-current", "true");
    else model.removeAttribute("aria-current");
  }
  const prompt = form.elements.prompt;
  if (document.querySelector("#prompt-errors > *")) prompt.setAttribute("aria-invalid", "true");
  else prompt.removeAttribute("aria-invalid");
}

function findModel(event) {
  const wanted = event.target.value.trim().toLowerCase();
  let found = 0;
  for (const group of menu.querySelectorAll(".model-menu__group")) {
    const provider = group.querySelector("h2").textContent.toLowerCase();
    let here = 0;
    for (const model of group.querySelectorAll(".model")) {
      const text = `${provider} ${model.textContent} ${model.dataset.model}`.toLowerCase();
      model.hidden = !wanted.split(/\s+/).every((word) => text.includes(word));
      here += !model.hidden;
    }
    group.hidden = !here;
    found += here;
  }
  menu.querySelector("[data-no-model]").hidden = found > 0;
}

/* What is typed outlives an expired sign-in, in this tab and for this person and team alone. */

const draft = `draft ${form?.dataset.draft} ${form?.getAttribute("action")}`;

/* A browser may refuse its storage: then there is no draft, and all else works. */
function drafts(act) {
  try {
    return act(sessionStorage);
  } catch {
    return null;
  }
}

function keepDraft() {
  const text = form.elements.prompt.value;
  drafts((kept) => (text ? kept.setItem(draft, text) : kept.removeItem(draft)));
}

function restoreDraft() {
  const prompt = form.elements.prompt;
  if (!prompt.value) prompt.value = drafts((kept) => kept.getItem(draft)) ?? "";
}

/* A refusal comes with HX-Reswap, the way to the sign-in with HX-Redirect. */
function afterSending({ detail: { successful, xhr, requestConfig } }) {
  const sent = successful && !xhr.getResponseHeader("HX-Reswap") && !xhr.getResponseHeader("HX-Redirect");
  // What was typed while the answer was on its way is not sent yet.
  if (sent && requestConfig.formData.get("prompt") === form.elements.prompt.value) drafts((kept) => kept.removeItem(draft));
}

if (form) {
  restoreDraft();
  if (/Mac|iP/.test(navigator.platform)) form.querySelector("[data-send-keys]").textContent = "⌘ ↵";
  document.addEventListener("input", (event) => {
    if (event.target.form === form) tell();
    if (event.target === form.elements.prompt) keepDraft();
    if (event.target.matches("[data-find-model]")) findModel(event);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form === form) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  menu.addEventListener("click", (event) => {
    if (event.target.closest(".model")) menu.hidePopover();
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open" && matchMedia("(pointer: fine)").matches) menu.querySelector("[data-find-model]").focus();
  });
  form.addEventListener("htmx:beforeRequest", forgetFaults);
  // A key pressed twice sends once: the press in between is dropped, and the button says why.
  form.addEventListener("htmx:beforeRequest", () => form.querySelector("#send").setAttribute("aria-busy", "true"));
  form.addEventListener("htmx:afterRequest", () => form.querySelector("#send").removeAttribute("aria-busy"));
  form.addEventListener("htmx:afterRequest", afterSending);
  document.addEventListener("htmx:afterSettle", afterAnswer);
  document.addEventListener("htmx:oobAfterSwap", () => queueMicrotask(afterAnswer));
  tell();
}
