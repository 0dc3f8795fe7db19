// Keeps what a person has unfolded open when that part of the page refreshes itself.
"use strict";

(() => {
  let open = [];
  document.body.addEventListener("htmx:beforeSwap", () => {
    open = Array.from(document.querySelectorAll("details[open][id]"), (fold) => fold.id);
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
})();
