/* Sharing links: copy an address, suggest a password, and no day where there is no end. */

import "./copy.js";

const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"; // none that is taken for another
const GROUPS = 4;
function suggest() {
  const limit = 256 - (256 % LETTERS.length); // else the first letters would come more often
  let word = "";
  while (word.length < GROUPS * 4) {
    const [number] = crypto.getRandomValues(new Uint8Array(1));
    if (number < limit) word += LETTERS[number % LETTERS.length];
  }
  return word.match(/.{4}/g).join("-");
}

for (const button of document.querySelectorAll("[data-suggest]")) button.hidden = false;

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-suggest]")) {
    const field = document.getElementById("id_password");
    field.type = "text"; // it can be read now and never again
    field.value = suggest();
    field.select();
    document.querySelector("[data-copy-of=id_password]").hidden = false;
    changing();
  }
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
