// Keeps a page live without reloading it: asks for the pulse, and tells htmx when something changed.
"use strict";

(() => {
  const page = document.body.dataset;
  const FASTEST = 2000, CALM = 5000, SLOWEST = 30000, AGED = 30000, PATIENCE = 10000;
  let version = page.version;
  let newest = ""; // the latest answers of attestation servers
  let heard = Date.now(); // when we last heard of our own server
  let refreshed = Date.now();
  let wait = CALM;
  let timer;

  const byId = (id) => document.getElementById(id);

  function show(element, text) {
    if (!element || element.textContent === text) return;
    element.textContent = text;
    element.hidden = !text;
  }

  // Times: how long ago, and the clock of the person's own zone.
  const UNITS = [86400, 3600, 60, 1];
  const dayOf = (date) => date.toDateString();
  const language = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dated = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const yearly = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long", hourCycle: "h23" });

  function relative(seconds) {
    const names = page.agoUnits.split(" ");
    const size = Math.abs(seconds);
    const at = Math.max(UNITS.findIndex((unit) => size >= unit), size < 1 ? UNITS.length - 1 : 0);
    const pattern = seconds < 0 ? page.agoFuture : page.agoPast;
    return pattern.replace("{span}", `${Math.floor(size / UNITS[at])} ${names[at]}`);
  }

  function absolute(moment, now) {
    if (dayOf(moment) === dayOf(now)) return clock.format(moment);
    return (moment.getFullYear() === now.getFullYear() ? dated : yearly).format(moment);
  }

  function tellTimes(root) {
    const now = new Date();
    for (const element of root.querySelectorAll("time[data-ago], time[data-clock]")) {
      const moment = new Date(element.dateTime);
      const text = "ago" in element.dataset ? relative((now - moment) / 1000)
        : absolute(moment, now);
      if (element.textContent !== text) element.textContent = text;
      const title = exact.format(moment);
      if (element.title !== title) element.title = title;
    }
  }

  // The pulse.
  function mark(trouble) {
    document.title = (trouble ? "(!) " : "") + document.title.replace(/^\(!\) /, "");
    const icon = byId("icon");
    const href = trouble ? icon.dataset.trouble : icon.dataset.calm;
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
  }

  function take(pulse) {
    heard = Date.now();
    show(byId("lost"), "");
    mark(pulse.trouble);
    follow(pulse.progress);
    for (const [name, moment] of Object.entries(pulse.answered)) {
      const time = document.querySelector(`[data-server="${CSS.escape(name)}"] time`);
      if (time && moment) time.dateTime = moment;
    }
    refresh(pulse);
    wait = pulse.progress ? FASTEST : CALM;
  }

  function follow(progress) {
    const box = byId("progress");
    if (!box) return;
    box.hidden = !progress;
    if (!progress) return;
    box.querySelector("span").textContent = progress.sentence;
    Object.assign(box.querySelector("progress"), { value: progress.done, max: progress.total });
  }

  // Something changed: all parts. Only newer evidence of the same: now and then, for its times.
  function refresh(pulse) {
    const answers = Object.values(pulse.answered).join();
    const changed = pulse.version !== version;
    const aged = newest && answers !== newest && heard - refreshed > AGED;
    if (changed) show(byId("news"), pulse.summary);
    if (changed || aged) {
      refreshed = heard;
      htmx.trigger(document.body, changed ? "fleet-changed" : "fleet-aged");
    }
    version = pulse.version;
    if (changed || aged || !newest) newest = answers;
  }

  async function ask() {
    try {
      const response = await fetch(page.live, {
        headers: { Accept: "application/json" }, cache: "no-cache", signal: AbortSignal.timeout(PATIENCE),
      });
      if (response.status === 401) return location.reload();
      if (!response.ok) throw new Error(response.status);
      take(await response.json());
    } catch {
      wait = Math.min(wait * 1.5, SLOWEST);
      show(byId("lost"), page.lost.replace("{time}", clock.format(heard)));
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(ask, wait * (0.9 + Math.random() * 0.2));
  }

  function hurry() {
    clearTimeout(timer);
    ask();
  }

  // Filters live in the address: only those that are set.
  document.body.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.verb !== "get") return;
    for (const [name, value] of [...detail.formData]) if (!value) detail.formData.delete(name);
  });

  // Who goes by keys keeps their place: what had the focus is found again by its id, its link or its fold.
  let place = "";
  function keepPlace() {
    const at = document.activeElement;
    const link = at.getAttribute("href"), fold = at.matches("summary") && at.parentElement.id;
    place = at.id ? `#${CSS.escape(at.id)}` : link ? `main a[href="${CSS.escape(link)}"]` : fold ? `#${CSS.escape(fold)} > summary` : "";
  }
  function findPlace() {
    if (place && document.activeElement === document.body) document.querySelector(place)?.focus({ preventScroll: true });
  }
  document.body.addEventListener("htmx:beforeSwap", keepPlace);
  for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) document.body.addEventListener(name, findPlace);

  // What htmx swapped in, and what it could not do.
  document.body.addEventListener("htmx:afterSettle", (event) => tellTimes(event.target.isConnected ? event.target : document));
  document.body.addEventListener("htmx:beforeRequest", () => show(byId("alert"), ""));
  document.body.addEventListener("htmx:sendError", () => show(byId("alert"), page.failed));
  document.body.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const told = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain");
    show(byId("alert"), told ? xhr.responseText : page.failed);
  });
  document.body.addEventListener("poll-started", hurry);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : hurry()));

  tellTimes(document);
  setInterval(() => document.hidden || tellTimes(document), 5000);
  plan();
})();
