// Looks again every half minute while the page is being looked at.
"use strict";
(() => {
  const EVERY = 30_000;
  let seen = Date.now();
  function look() {
    const part = document.querySelector("[data-refresh]");
    if (!part || document.hidden || Date.now() - seen < EVERY) return;
    seen = Date.now();
    htmx.trigger(part, "look-again");
  }
  setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);
})();
