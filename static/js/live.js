/* Cards that move by themselves: one event stream says which generation moved, and its card
   then fetches itself. Without the stream a card asks every 15 seconds. */

const feed = document.getElementById("feed");
const cards = document.getElementById("feed-cards");
const PATIENCE = 700; // milliseconds before a generation without a card gets one

let stream;
let wasOpen = false;
// Generations that moved since their card was asked for last.
const stale = new Set();
// Generations whose first card is on its way.
const coming = new Set();

const cardOf = (id) => document.getElementById(`generation-${id}`);
const idOf = (card) => card.id.replace("generation-", "");

function refresh(id) {
  const card = cardOf(id);
  if (card?.matches("[data-unfinished]")) htmx.trigger(card, "moved");
  else stale.delete(id);
}

function moved(id) {
  stale.add(id);
  if (cardOf(id)) refresh(id);
  else setTimeout(bring, PATIENCE, id);
}

/* Somebody else began it, or another window of ours did. */
function bring(id) {
  if (cardOf(id) || coming.has(id) || !feed.dataset.card) return;
  const address = feed.dataset.card.replace("00000000-0000-0000-0000-000000000000", id);
  coming.add(id);
  htmx.ajax("GET", address, { target: cards, swap: "afterbegin" }).finally(() => coming.delete(id));
}

function refreshAll() {
  for (const card of cards.querySelectorAll("[data-unfinished]")) htmx.trigger(card, "moved");
}

function open() {
  if (stream) return;
  stream = new EventSource(feed.dataset.live);
  stream.addEventListener("moved", (event) => moved(JSON.parse(event.data)));
  stream.addEventListener("open", () => {
    if (wasOpen) refreshAll();
    wasOpen = true;
  });
}

function close() {
  stream?.close();
  stream = undefined;
}

/* A browser has six connections a host: a tab that nobody sees gives its own back. */
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => event.persisted && open());

document.addEventListener("htmx:beforeRequest", (event) => {
  // The answer will know of every move up to now.
  if (event.target.matches?.(".card")) stale.delete(idOf(event.target));
});
document.addEventListener("htmx:load", (event) => {
  for (const card of [event.detail.elt, ...event.detail.elt.querySelectorAll(".card")]) {
    if (!card.matches?.(".card")) continue;
    // The same generation twice (a form sent again, a card that the stream brought): one stays.
    for (const other of cards.querySelectorAll(`[id="${card.id}"]`)) if (other !== card) leave(other);
    noteTime(card);
    if (stale.has(idOf(card))) refresh(idOf(card));
  }
});

/* Of a group whose last card has gone elsewhere nothing stays. */
function leave(card) {
  const group = card.closest("[data-comparison]");
  card.remove();
  if (group && !group.querySelector(".card")) group.remove();
}

/* Seconds so far, and the bar that ends at twice the usual time. */
function noteTime(card) {
  const working = card.querySelector("[data-working]");
  if (working) working.dataset.since = performance.now() - 1000 * Number(working.dataset.seconds);
}

function span(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function tick() {
  for (const working of cards.querySelectorAll("[data-working]")) {
    if (!working.dataset.since) noteTime(working.closest(".card"));
    const passed = (performance.now() - working.dataset.since) / 1000;
    working.querySelector("[data-so-far]").textContent = span(Math.round(passed));
    const share = Math.min(100, (50 * passed) / Number(working.dataset.usual));
    working.querySelector(".passed")?.setAttribute("width", share.toFixed(1));
  }
}

for (const card of cards.querySelectorAll(".card")) noteTime(card);
setInterval(tick, 1000);
if (!document.hidden) open();
