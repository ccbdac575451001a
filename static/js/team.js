/* The page of a team: a role is set by a button that comes when another is picked, so that an arrow
   key makes nobody an owner; a new team begins in the time zone of whoever makes it. */

import "./copy.js";

document.documentElement.classList.add("js");
for (const select of document.querySelectorAll("[data-role]")) {
  const was = select.value;
  select.addEventListener("change", () => {
    select.form.classList.toggle("is-changed", select.value !== was);
  });
}

const zone = document.querySelector("[data-own-zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && [...zone.options].some((option) => option.value === here)) zone.value = here;
