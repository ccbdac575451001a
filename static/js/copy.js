/* Buttons that copy: what `data-copy` says, or what stands in the field that `data-copy-of` names. */

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

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-of]");
  if (button) copy(button);
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-address]")) event.target.select();
});
