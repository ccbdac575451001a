/* The prompt bar: what it will cost and leave is asked anew at every change; Ctrl or Cmd and Enter send. */

const form = document.getElementById("prompt-form");
const settings = document.getElementById("settings");
const menu = document.getElementById("models");
const price = document.getElementById("price");
const PAUSE = 1200; // milliseconds of rest before a new price is read out
const TYPING = 500; // milliseconds of rest before the price of what is written is asked for
const MOST_OTHERS = 5; // models beside the one that is picked

function valueOf(name) {
  const found = form.elements.namedItem(name);
  if (!(found instanceof RadioNodeList)) return found?.value ?? "";
  // Radio buttons, or a switch behind its hidden "off": the last that would be sent.
  const sent = [...found].filter((one) => one.checked || !["radio", "checkbox"].includes(one.type));
  return sent.at(-1)?.value ?? "";
}

const AS_SAID = { on: "True", off: "False" }; // a switch, as the conditions of fields name it

function isAsked({ dataset }) {
  const value = valueOf(dataset.onlyWith);
  const values = dataset.onlyValues.split(" ");
  return values.includes(value) || values.includes(AS_SAID[value]);
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
    field.hidden = !isAsked(field);
    // What nobody sees is not sent: it would be refused as having no effect.
    for (const one of field.querySelectorAll("input, select, textarea")) one.disabled = field.hidden;
  }
}

/* Some actions take no words: then the prompt says why, and what was typed stays for the next. */
function tellPrompt() {
  const { hint, writes } = document.getElementById("bill").dataset;
  form.elements.prompt.placeholder = hint;
  form.elements.prompt.disabled = writes === "none";
  document.getElementById("prompt-note").textContent = writes === "none" ? hint : "";
}

/* The prompt itself goes along only when it is sent. */
function tellLength() {
  form.elements.prompt_bytes.value = bytesOf(form.elements.prompt.value);
}

function tell() {
  tellLength();
  tellFields();
  tellPrompt();
}

/* What was asked before a change is of a form that stands no more: its answer is not shown. */
let changes = 0;
let asked = 0;

const forgetPrice = () => (changes += 1);

/* Asked once nothing changes for a moment (`delay` in the page), one question at a time. Who sends
   before the answer is here is held to the price that was shown. */
function askPrice() {
  forgetPrice();
  htmx.trigger(price, "price");
}

function refetch() {
  htmx.trigger("#refetch", "refetch");
}

/* What was written is nobody's business but the provider's: a price hangs at most on its length. */
function asking({ detail: { formData } }) {
  asked = changes;
  const texts = [...form.elements].filter((one) => one.matches("textarea"));
  const sent = texts.filter((one) => !one.disabled || one.name === "prompt");
  formData.set("prompt_bytes", sent.reduce((sum, one) => sum + bytesOf(one.value), 0));
  for (const one of form.elements) if (one.matches("textarea, [type=file]")) formData.delete(one.name);
}

const bytesOf = (text) => new TextEncoder().encode(text.trim()).length;

const hangsOnWords = () => "byWords" in document.getElementById("bill").dataset;

let typing;

/* Not at each key: once whoever types rests. */
function afterTyping() {
  clearTimeout(typing);
  if (hangsOnWords()) typing = setTimeout(askPrice, TYPING);
}

/* That a price has changed was said of the form as it stood. */
function forgetNewPrice() {
  for (const fault of document.querySelectorAll("#prompt-errors > [data-price-fault]")) fault.remove();
}

function answered({ detail }) {
  if (asked !== changes) detail.shouldSwap = false;
}

let toldAt = new Date();
let said = "";
let pause;

function afterAsking({ detail: { successful } }) {
  if (!successful) priceIsOld(true);
  else if (asked === changes) priceIsTold();
}

/* The settings are drawn anew with their price, and perhaps for another model. */
function drawnAnew({ detail: { isError } }) {
  if (isError) return;
  forgetPrice();
  priceIsTold();
}

function priceIsTold() {
  toldAt = new Date();
  priceIsOld(false);
  clearTimeout(pause);
  pause = setTimeout(sayPrice, PAUSE);
}

/* For those who hear the page: once it rests, and only what they have not heard. */
function sayPrice() {
  const words = document.getElementById("send-words").textContent;
  if (words !== said) document.getElementById("price-said").textContent = words;
  said = words;
}

function priceIsOld(old) {
  const clock = toldAt.toLocaleTimeString(document.documentElement.lang || [], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const note = old ? `The price is that of ${clock}: the studio does not answer now. You can send all the same.` : "";
  document.getElementById("price-note").textContent = note;
  document.getElementById("bill").classList.toggle("is-old", old);
  document.getElementById("left-after").classList.toggle("is-old", old);
}

/* An image that is done, or will not come, has settled what it took. */
function settled({ detail: { xhr, pathInfo } }) {
  const card = pathInfo?.requestPath.includes("/generations/") && pathInfo.requestPath.split("?")[0].endsWith("/card");
  if (card && xhr.status === 200 && !xhr.responseText.includes("data-unfinished")) askPrice();
}

/* The model that is picked is compared with others, never with itself; with five at most. */
function tellCompared() {
  const boxes = [...menu.querySelectorAll('[name="also"]')];
  const chosen = valueOf("model");
  for (const box of boxes) if (box.value === chosen) box.checked = false;
  const full = boxes.filter((box) => box.checked).length >= MOST_OTHERS;
  for (const box of boxes) box.disabled = box.value === chosen || (full && !box.checked);
}

function changed(field) {
  tell();
  forgetNewPrice();
  if (field.matches("textarea")) afterTyping();
  else if (!field.matches("[data-refetch]")) askPrice();
}

function dropCompared(chip) {
  const box = [...menu.querySelectorAll('[name="also"]')].find((one) => one.value === chip.dataset.also);
  if (box) box.checked = false;
  chip.remove();
  document.getElementById("model-button").focus();
  tellCompared();
  changed(chip);
}

function forgetFaults() {
  for (const fault of document.querySelectorAll("#prompt-errors > *, #file-refusals > *, #settings .field__error")) fault.remove();
  for (const field of document.querySelectorAll("#settings [aria-invalid]")) field.removeAttribute("aria-invalid");
}

function afterAnswer() {
  tellCompared();
  tell();
  const chosen = valueOf("model");
  for (const model of menu.querySelectorAll("[data-model]")) {
    if (model.dataset.model === chosen) model.setAttribute("aria-current", "true");
    else model.removeAttribute("aria-current");
  }
  const prompt = form.elements.prompt;
  if (document.querySelector("#prompt-errors > [data-prompt-fault]")) prompt.setAttribute("aria-invalid", "true");
  else prompt.removeAttribute("aria-invalid");
}

/* The first thing that is wrong is brought into view; a field gets the focus where it can be seen. */
function showFault() {
  const errors = document.getElementById("prompt-errors");
  const first = errors.querySelector("p:not([data-settings-fault])");
  if (first?.matches("[data-prompt-fault]")) form.elements.prompt.focus();
  else if (!first && focusFaultySetting()) return;
  else if (!first) errors.querySelector("button")?.focus();
  errors.scrollIntoView({ block: "nearest" });
}

function focusFaultySetting() {
  const field = settings.querySelector(".field__error")?.closest(".field");
  if (!field?.checkVisibility()) return false;
  const inputs = [...field.querySelectorAll("input, select, textarea")].filter((one) => one.checkVisibility());
  const wanted = ["[aria-invalid]", ":checked", "*"].map((kind) => inputs.find((one) => one.matches(kind)));
  wanted.find(Boolean)?.focus();
  field.scrollIntoView({ block: "nearest" });
  return true;
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
      model.parentElement.hidden = model.hidden;
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

/* The rest of the form is kept as it stands: model, fields, images, mask and start. */

const rest = `${draft} rest`;
const NOT_KEPT = ["csrfmiddlewaretoken", "batch", "prompt", "prompt_bytes", "price_tag", "files", "mask_file"];
// An address that brings these along says all there is to say.
const SAID_ELSEWHERE = ["from", "image", "reference", "parent", "button"];
let restoring = false;

function standing() {
  return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !NOT_KEPT.includes(name));
}

function keepRest() {
  if (restoring) return;
  const { writes } = document.getElementById("bill").dataset;
  drafts((kept) => kept.setItem(rest, JSON.stringify({ entries: standing(), writes })));
}

function restoreRest() {
  const said = new URLSearchParams(location.search);
  const kept = JSON.parse(drafts((all) => all.getItem(rest)) ?? "null");
  if (!kept || SAID_ELSEWHERE.some((name) => said.has(name))) return;
  const values = new FormData();
  for (const [name, value] of kept.entries) values.append(name, value);
  const offered = [...menu.querySelectorAll("[data-model]")].map((one) => one.dataset.model);
  const model = said.get("model") ?? values.get("model");
  const picked = offered.includes(model) ? model : valueOf("model");
  if (said.has("action")) values.set("action", said.get("action"));
  else if (said.has("prompt") && kept.writes === "none") values.delete("action"); // it takes no words
  if (picked === valueOf("model") && JSON.stringify([...values]) === JSON.stringify(standing())) return;
  values.set("prompt_bytes", form.elements.prompt_bytes.value);
  const also = values.getAll("also");
  for (const box of menu.querySelectorAll('[name="also"]')) box.checked = also.includes(box.value);
  const address = document.getElementById("refetch").getAttribute("hx-post");
  restoring = true;
  htmx
    .ajax("POST", `${address}?anew&model=${encodeURIComponent(picked)}`, { values, target: "#settings" })
    .finally(() => (restoring = false));
}

/* A refusal comes with HX-Reswap, the way to the sign-in with HX-Redirect. */
function afterSending({ detail: { successful, xhr, requestConfig } }) {
  const sent = successful && !xhr.getResponseHeader("HX-Reswap") && !xhr.getResponseHeader("HX-Redirect");
  // What was typed while the answer was on its way is not sent yet.
  if (successful && xhr.getResponseHeader("HX-Reswap")) requestAnimationFrame(showFault);
  if (sent && requestConfig.formData.get("prompt") === form.elements.prompt.value) drafts((kept) => kept.removeItem(draft));
}

if (form) {
  restoreDraft();
  tellLength();
  restoreRest();
  addEventListener("pagehide", keepRest);
  settings.addEventListener("toggle", (event) => event.newState === "open" && focusFaultySetting());
  if (/Mac|iP/.test(navigator.platform)) form.querySelector("[data-send-keys]").textContent = "⌘ ↵";
  document.addEventListener("input", (event) => {
    if (event.target.form === form) changed(event.target);
    if (event.target === form.elements.prompt) keepDraft();
    if (event.target.matches("[data-find-model]")) findModel(event);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-refetch]")) refetch();
    if (event.target.name === "also") tellCompared();
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-drop-also]")?.closest("[data-also]");
    if (chip) dropCompared(chip);
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
  price.addEventListener("htmx:configRequest", asking);
  price.addEventListener("htmx:beforeSwap", answered);
  price.addEventListener("htmx:afterRequest", afterAsking);
  // Told beside the price, and no more than that.
  for (const fault of ["htmx:sendError", "htmx:responseError"]) price.addEventListener(fault, (event) => event.stopPropagation());
  settings.addEventListener("htmx:beforeSwap", drawnAnew);
  document.addEventListener("begun", askPrice);
  document.addEventListener("htmx:afterRequest", settled);
  document.addEventListener("htmx:afterSettle", afterAnswer);
  document.addEventListener("htmx:oobAfterSwap", () => queueMicrotask(afterAnswer));
  tellCompared();
  tell();
  // The page was drawn without what was typed before.
  if (hangsOnWords() && form.elements.prompt.value !== form.elements.prompt.defaultValue) askPrice();
}
