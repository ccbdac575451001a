/* Sharing links: copy an address, suggest a password, and no day where there is no end. */

const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"; // none that is taken for another
const GROUPS = 4;
const SHOWN = 2000; // milliseconds that a button says what it did

function say(button, words) {
  const label = button.querySelector("span");
  const before = (label.dataset.words ??= label.textContent);
  label.textContent = words;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { label.textContent = before; }, SHOWN);
}

async function copy(button) {
  const named = document.getElementById(button.dataset.copyOf ?? button.dataset.from);
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? named.value);
    say(button, "Copied");
  } catch {
    // Without leave, or over plain http: the text is chosen, for the reader to copy.
    const field = named ?? fieldBeside(button);
    field.focus();
    field.select();
    say(button, "Press Ctrl+C");
  }
}

function fieldBeside(button) {
  const field = document.createElement("input");
  field.className = "input input--code";
  field.readOnly = true;
  field.value = button.dataset.copy;
  field.setAttribute("aria-label", "The address");
  button.replaceWith(field);
  return field;
}

function suggest() {
  const limit = 256 - (256 % LETTERS.length); // else the first letters would come more often
  let word = "";
  while (word.length < GROUPS * 4) {
    const [number] = crypto.getRandomValues(new Uint8Array(1));
    if (number < limit) word += LETTERS[number % LETTERS.length];
  }
  return word.match(/.{4}/g).join("-");
}

for (const button of document.querySelectorAll("[data-copy], [data-suggest]")) button.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-of]");
  if (button) copy(button);
  if (event.target.closest("[data-suggest]")) {
    const field = document.getElementById("id_password");
    field.type = "text"; // it can be read now and never again
    field.value = suggest();
    field.select();
    document.querySelector("[data-copy-of=id_password]").hidden = false;
    changing();
  }
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-address]")) event.target.select();
});

/* Who writes a new password means to change the one that is there. */
function changing() {
  const change = document.querySelector("[name=password_is][value=change]");
  if (change && document.getElementById("id_password").value) change.checked = true;
}
document.getElementById("id_password")?.addEventListener("input", changing);

const endless = document.querySelector("[data-endless]");
function noDay() {
  document.getElementById("id_until").disabled = endless.checked;
}
endless?.addEventListener("change", noDay);
if (endless) noDay();
