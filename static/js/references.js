/* Images given along: dropped, pasted or picked, taken out, put in another order. The server draws
   the strip anew after each change, with what the model picked makes of it. What is sent while
   files are on their way waits for them: it would be sent, and paid for, without them. */

const form = document.getElementById("prompt-form");
const upload = document.getElementById("upload");
const chooser = document.getElementById("chooser");
const waiting = []; // lots of files that are not sent yet
const KEYS = ["paint", "unmask", "remove", "move", "choose"];
const LIBRARY = /\/images\/([0-9a-f-]{36})\//;

let sending = false;
let held = false; // whether the prompt waits for files
let choosing = "reference"; // what a file picked from the device is for
let firstBefore = "";
let focused; // what had the focus in the strip before it was drawn anew

const tiles = () => document.getElementById("reference-tiles");
const tokens = () => [...tiles().querySelectorAll("[data-reference]")].map((tile) => tile.dataset.reference);

function refetch() {
  htmx.trigger("#refetch", "refetch");
}

function unmask() {
  document.getElementById("painted")?.replaceChildren();
}

function tell(sentence) {
  document.getElementById("upload-note").textContent = sentence;
}

/* A mask lies over the first image: with another one there it would mean nothing. */
function changed(gone = "The mask belonged to the image that was first, and went with it.") {
  const first = tokens()[0] ?? "";
  const loses = first !== firstBefore && document.querySelector("#painted > *");
  if (loses) unmask();
  if (!held) tell(loses ? gone : "");
  firstBefore = first;
  refetch();
}

function waitingTile(token) {
  const tile = document.createElement("li");
  tile.className = "reference reference--waiting";
  const spinner = document.createElement("span");
  spinner.className = "spinner";
  tile.append(spinner);
  if (token) {
    tile.dataset.reference = token;
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name: "reference", value: token });
    tile.append(input);
  }
  tiles().append(tile);
}

/* Where what is picked to do takes no images, an image that is added says what is meant instead. */
function reconsider() {
  if (document.getElementById("bill").dataset.takes) return;
  for (const one of form.elements) if (one.name === "action") one.disabled = true; // until it is drawn anew
}

function add(token) {
  if (tokens().includes(token)) return;
  waitingTile(token);
  reconsider();
  changed();
}

function takeOut(tile) {
  // Given along since it is what the prompt starts from: without it, nothing is.
  document.querySelector(`.start[data-image="${CSS.escape(tile.dataset.reference)}"]`)?.remove();
  tile.remove();
  document.querySelector(".add-button").focus();
  changed("The mask belonged to that image and went with it.");
}

function move(tile) {
  tile.previousElementSibling?.before(tile);
  changed();
}

/* ── Files ── */

function send(files, purpose = "reference") {
  if (!files.length) return;
  waiting.push({ files: [...files], purpose });
  for (const _ of files) if (purpose === "reference") waitingTile();
  sendNext();
}

function sendNext() {
  if (sending || !waiting.length) return;
  const { files, purpose } = waiting.shift();
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  upload.elements.files.files = carrier.files;
  upload.elements.purpose.value = purpose;
  sending = true;
  htmx.trigger(upload, "submit");
}

function sent(event) {
  sending = false;
  for (const tile of tiles().querySelectorAll(".reference--waiting:not([data-reference])")) tile.remove();
  // Without an image that was meant to go along, nothing is sent.
  if (!event.detail.successful || document.querySelector("#file-refusals > *")) hold(false);
  if (event.detail.successful) {
    if (upload.elements.purpose.value === "reference" && tokens().length) reconsider();
    changed();
  }
  sendNext();
}

/* ── Sending the prompt ── */

function hold(on) {
  held = on;
  const button = form.querySelector("#send");
  if (on) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
  tell(on ? "Wait for the image: this is sent as soon as it is here." : "");
}

function holdBack(event) {
  if (event.target !== form || !(sending || waiting.length)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  hold(true);
}

/* The strip has been drawn anew with the last of the files: now it is sent as the bill says it. */
function letGo() {
  if (!held || sending || waiting.length) return;
  hold(false);
  form.requestSubmit();
}

function choose(purpose) {
  choosing = purpose;
  upload.elements.files.value = "";
  upload.elements.files.click();
}

function isLoaded(event) {
  return [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/uri-list");
}

function over(event) {
  if (!isLoaded(event)) return;
  event.preventDefault(); // a file let go beside the form would take its place
  form.classList.toggle("is-over", form.contains(event.target));
}

function dropped(event) {
  if (!isLoaded(event)) return;
  event.preventDefault();
  form.classList.remove("is-over");
  if (!form.contains(event.target)) return;
  const [, image] = LIBRARY.exec(event.dataTransfer.getData("text/uri-list")) ?? [];
  if (image) add(`image:${image}`);
  else send(event.dataTransfer.files);
}

function pasted(event) {
  const { files } = event.clipboardData;
  // From a text program both come: then the words are meant.
  if (!files.length || event.clipboardData.getData("text/plain")) return;
  if (document.querySelector("dialog[open]")) return;
  event.preventDefault();
  send(files);
}

/* ── The library ── */

function tellPicked() {
  const given = tokens();
  for (const button of chooser.querySelectorAll("[data-pick]")) {
    button.setAttribute("aria-pressed", String(given.includes(button.dataset.pick)));
  }
}

function pick(button) {
  const there = [...tiles().querySelectorAll("[data-reference]")].find((tile) => tile.dataset.reference === button.dataset.pick);
  if (there) {
    there.remove();
    changed();
  } else add(button.dataset.pick);
  tellPicked();
}

/* ── The strip, drawn anew ── */

function remember() {
  const here = document.activeElement?.closest("#along button");
  const key = here && KEYS.find((name) => name in here.dataset);
  focused = key && { key, token: here.closest("[data-reference]")?.dataset.reference };
}

function restore() {
  firstBefore = tokens()[0] ?? "";
  tellPicked();
  if (!focused || document.activeElement !== document.body) return;
  const { key, token } = focused;
  const place = token ? document.querySelector(`[data-reference="${CSS.escape(token)}"]`) : document.getElementById("along");
  (place?.querySelector(`[data-${key}]`) ?? place?.querySelector("button") ?? document.querySelector(".add-button")).focus();
}

/* What a button asked, or a turn that is remembered, is done with: what comes next starts from what
   is made of it, and that is not there yet. */
function leaveStart({ detail: { successful, xhr } }) {
  const start = document.querySelector(".start[data-once]");
  if (!start || !successful || xhr.getResponseHeader("HX-Reswap") || xhr.getResponseHeader("HX-Redirect")) return;
  start.remove();
  if (!tokens().length) unmask();
  refetch();
}

/* What a model said of an image becomes the prompt, and all else stays; where what is picked to do
   takes no words, an image is made from them. */
function usePrompt(event, link) {
  const { prompt, action } = form.elements;
  if (prompt.disabled) {
    const choices = [...form.elements].flatMap((one) => (one.name !== "action" ? [] : one.options ? [...one.options] : [one]));
    if (!choices.some((one) => one.value === "create")) return;
    action.value = "create";
    prompt.disabled = false;
    refetch();
  }
  event.preventDefault();
  prompt.value = new URL(link.href).searchParams.get("prompt");
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
  prompt.focus();
}

function press(event) {
  const button = event.target.closest("button, a");
  if (!button) return;
  const { dataset } = button;
  if ("remove" in dataset) takeOut(button.closest(".reference"));
  else if ("move" in dataset) move(button.closest(".reference"));
  else if ("choose" in dataset) choose(dataset.choose);
  else if ("pick" in dataset) pick(button);
  else if ("usePrompt" in dataset) usePrompt(event, button);
  else if ("unmask" in dataset) {
    unmask();
    refetch();
  } else if ("dropStart" in dataset) {
    event.preventDefault();
    button.closest(".start").remove();
    refetch();
  }
}

if (form) {
  firstBefore = tokens()[0] ?? "";
  document.addEventListener("click", press);
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? form.classList.remove("is-over"));
  document.addEventListener("drop", dropped);
  document.addEventListener("paste", pasted);
  upload.elements.files.addEventListener("change", (event) => {
    chooser.hidePopover();
    send(event.target.files, choosing);
  });
  upload.addEventListener("htmx:afterRequest", sent);
  form.addEventListener("htmx:afterRequest", leaveStart);
  document.addEventListener("submit", holdBack, true); // before htmx hears of it
  document.getElementById("refetch").addEventListener("htmx:afterRequest", letGo);
  chooser.addEventListener("toggle", (event) => {
    if (event.newState === "open") htmx.trigger("#chooser-images", "choose");
  });
  chooser.addEventListener("htmx:afterSettle", tellPicked);
  document.addEventListener("htmx:oobBeforeSwap", (event) => event.detail.target?.id === "along" && remember());
  document.addEventListener("htmx:oobAfterSwap", (event) => event.detail.target?.id === "along" && queueMicrotask(restore));
}
