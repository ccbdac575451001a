/* Comfort on a shared page: hearts without a new page, arrows and swipes between large images. */

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-heart]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
    if (answer.status === 204) turn(form, button);
    else if (answer.status === 409) say(await answer.text());
    else if (answer.type === "opaqueredirect" || answer.status === 404) location.assign(new URL("./", form.action)); // a page says why
    else say("This was not kept. Load the page anew and try again.");
  } catch {
    say("This was not kept: nothing could be reached. Try again.");
  } finally {
    button.ariaBusy = null;
  }
});

function say(words) {
  const line = document.querySelector("[data-fault]");
  line.classList.add("shared-fault--over");
  line.textContent = words;
}

function turn(form, button) {
  say("");
  const on = form.elements.on;
  button.setAttribute("aria-pressed", on ? "true" : "false");
  if (on) on.remove();
  else form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "on", value: "on" }));
}

const look = document.querySelector("[data-look]");
if (look) {
  const go = (where) => look.querySelector(`[data-${where}]`)?.click();
  const keys = { ArrowLeft: "before", ArrowRight: "behind", Escape: "close" };
  document.addEventListener("keydown", (event) => {
    if (keys[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) go(keys[event.key]);
  });
  let start = null;
  look.addEventListener("touchstart", (event) => {
    start = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  look.addEventListener("touchend", (event) => {
    if (!start || (visualViewport?.scale ?? 1) > 1.01) return;
    const across = event.changedTouches[0].clientX - start.clientX;
    const down = event.changedTouches[0].clientY - start.clientY;
    if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(down)) go(across > 0 ? "before" : "behind");
  }, { passive: true });
}

/* After signing in, back to this page; the page itself is the same for every link. */
const signIn = document.querySelector("[data-sign-in]");
if (signIn) signIn.search = new URLSearchParams({ next: location.pathname });
