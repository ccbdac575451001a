/* What every page does: notices that close, times that stay true, and a word when a request fails. */

const UNITS = [["d", 86400], ["h", 3600], ["min", 60]];
const DAY = { hourCycle: "h23" }; // as the server writes times

function ago(moment) {
  const past = (Date.now() - moment) / 1000;
  const unit = UNITS.find(([, length]) => past >= length);
  return unit ? `${Math.floor(past / unit[1])} ${unit[0]} ago` : "just now";
}

function tellTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const said = ago(Date.parse(time.dateTime));
    if (time.textContent !== said) time.textContent = said;
    time.title ||= new Date(time.dateTime).toLocaleString([], DAY);
  }
  // The server speaks the team's time; a reader has one of their own.
  for (const time of root.querySelectorAll("time[data-clock]")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...DAY });
    time.title ||= new Date(time.dateTime).toLocaleString([], DAY);
  }
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "long", timeStyle: "short", ...DAY });
  }
}

export function notify(sentence) {
  const notices = document.getElementById("notices");
  if ([...notices.querySelectorAll("p")].some((p) => p.textContent === sentence)) return;
  const notice = document.createElement("div");
  notice.className = "notice notice--error";
  const text = document.createElement("p");
  text.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button--quiet button--small";
  close.dataset.close = "";
  close.textContent = "Close";
  notice.append(text, close);
  notices.append(notice);
}

/* ── Notices go by themselves ── */

const LIFE = 6_000; // milliseconds
const LIFE_WITH_A_DEED = 15_000; // with something to press, such as “Undo”
const FADE = 400;

/* Nothing goes while somebody reads or uses it, or looks elsewhere. What went wrong stays until it is
   closed: it says what to do. */
function live(notice) {
  if (notice.matches(".notice--error")) return;
  const life = notice.querySelector("a, button:not([data-close])") ? LIFE_WITH_A_DEED : LIFE;
  const isUsed = () => document.hidden || notice.matches(":hover, :focus-within");
  const wait = (length) => setTimeout(() => (isUsed() ? wait(LIFE / 2) : fade()), length);
  const fade = () => {
    notice.classList.add("is-going");
    setTimeout(() => {
      if (!isUsed()) return notice.remove();
      notice.classList.remove("is-going");
      wait(LIFE / 2);
    }, FADE);
  };
  wait(life);
}

function liveEach(nodes) {
  const sheet = document.querySelector(".sheet:popover-open:has(.sheet__foot)");
  for (const node of nodes) {
    if (sheet && node.matches?.(".notice--error:not([data-gone])")) sayIn(sheet, node);
    else if (node.matches?.(".notice")) live(node);
  }
}

/* What went wrong is said in the sheet that is open, until somebody goes on: above its veil. */
function sayIn(sheet, notice) {
  sheet.querySelector("[data-said]")?.remove();
  const line = document.createElement("p");
  line.className = "field__error";
  line.dataset.said = "";
  line.setAttribute("role", "alert");
  line.textContent = notice.querySelector("p").textContent;
  sheet.querySelector(".sheet__foot").before(line);
  notice.remove();
  sheet.querySelector("input, select")?.focus();
}
for (const name of ["input", "toggle"]) {
  document.addEventListener(name, (event) => {
    event.target.closest?.(".sheet")?.querySelector("[data-said]")?.remove();
  }, true);
}

const watcher = new MutationObserver((changes) => {
  for (const { addedNodes } of changes) liveEach(addedNodes);
});
function watch() {
  const notices = document.getElementById("notices");
  watcher.disconnect();
  watcher.observe(notices, { childList: true });
  liveEach(notices.children);
}
watch();
document.addEventListener("htmx:historyRestore", watch); // Back draws the whole page anew

document.addEventListener("click", (event) => {
  event.target.closest("[data-close]")?.parentElement.remove();
});
// What is put away takes the focus with it: on to the next, else to the page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const told = event.detail.elt.closest?.(".told");
  if (!told?.contains(document.activeElement)) return;
  const main = document.getElementById("main");
  main.tabIndex = -1;
  const others = [...document.querySelectorAll(".told button")].filter((button) => !told.contains(button));
  (others[0] ?? main).focus({ preventScroll: true });
});
document.addEventListener("htmx:load", (event) => tellTimes(event.detail.elt));
setInterval(tellTimes, 30_000);
tellTimes();

function failed(event) {
  // A card asks again by itself; only what a person did is worth a notice.
  if (event.detail.requestConfig?.verb === "get") return;
  const status = event.detail.xhr?.status;
  notify(
    status === 403
      ? "This page has been open for too long. Nothing was made. Load it again; what you typed is still here, so copy it first."
      : status === 404
        ? "That is not there any more."
        : status === 413
          ? "This is more than the studio takes at once (200 MB). Send fewer or smaller images."
        : "The studio did not answer. What you typed is still here: try again in a moment.",
  );
}
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
