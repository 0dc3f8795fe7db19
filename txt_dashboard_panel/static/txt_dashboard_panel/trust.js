/* Pages of Trusted Compute ask what changed, and read themselves anew where something did. One request at a time,
   none while the page is hidden or nobody has used it for a while. */
(function () {
  "use strict";

  var SLOWEST = 60000, IDLE = 20 * 60000, WAIT = 20000;

  function follow(page) {
    var said = page.querySelector(".trust-said"), every = 1000 * Number(page.dataset.trustEvery);
    var version = page.dataset.trustVersion, used = Date.now(), pause = every, timer = null, asking = false, wrong = false;

    function say(sentence) {
      if (sentence && said.textContent !== sentence) { said.textContent = sentence; }
    }

    function get(address, headers) {
      var stop = new AbortController();
      var alarm = setTimeout(function () { stop.abort(); }, WAIT);
      var options = {
        credentials: "same-origin", cache: "no-store", signal: stop.signal, headers: headers || {}
      };
      return fetch(address, options).then(function (answer) {
        if (!answer.ok || answer.redirected) { throw new Error(String(answer.status)); }
        return answer.text();
      }).finally(function () { clearTimeout(alarm); });
    }

    function renew() {
      return get(window.location.href).then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html");
        var part = fresh.getElementById("trust-part"), old = document.getElementById("trust-part");
        if (!part || !old || old.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
          return false;
        }
        old.querySelectorAll("details[open][id]").forEach(function (each) {
          var same = part.querySelector("#" + CSS.escape(each.id));
          if (same) { same.open = true; }
        });
        var focused = old.contains(document.activeElement) ? document.activeElement.id : "";
        old.replaceWith(document.importNode(part, true));
        if (focused && document.getElementById(focused)) { document.getElementById(focused).focus(); }
        return true;
      });
    }

    /* A page that was read without the whole version knows of hosts only: that is its first number. */
    function isNew(told) {
      var first = version.split("-")[0];
      var partly = version === "-" || /(-0){5}$/.test(version);
      return told !== version && !(partly && told && (version === "-" || told.split("-")[0] === first));
    }

    function heard(text) {
      var told = JSON.parse(text);
      page.classList.remove("trust-old");
      if (told.version && wrong) { said.textContent = ""; }
      wrong = !told.version;
      pause = told.version ? every : Math.min(pause * 2, SLOWEST);
      if (!isNew(told.version)) {
        version = told.version;
        say(told.said);
        return null;
      }
      return renew().then(function (done) {
        if (done) { version = told.version; }
        say(told.said);
      });
    }

    function lost() {
      wrong = true;
      pause = Math.min(pause * 2, SLOWEST);
      page.classList.add("trust-old");
      say(page.dataset.trustLost);
    }

    function look() {
      if (asking || document.hidden) { return; }
      if (Date.now() - used > IDLE) {
        wrong = true;
        say(page.dataset.trustPaused);
        return;
      }
      asking = true;
      get(page.dataset.trustLive + "?since=" + encodeURIComponent(version), {"X-Requested-With": "XMLHttpRequest"})
        .then(heard).catch(lost)
        .finally(function () { asking = false; timer = setTimeout(look, pause); });
    }

    function wake() {
      var slept = Date.now() - used > IDLE;
      used = Date.now();
      if (slept) { clearTimeout(timer); look(); }
    }

    ["pointerdown", "pointermove", "keydown"].forEach(function (name) {
      document.addEventListener(name, wake, {passive: true});
    });
    document.addEventListener("visibilitychange", function () {
      clearTimeout(timer);
      if (!document.hidden) { look(); }
    });
    timer = setTimeout(look, 1000);
  }

  function start() {
    var page = document.querySelector("[data-trust-live]");
    if (page) { follow(page); }
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
}());
