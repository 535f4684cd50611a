// How does an open page stay true without being loaded again?
//
// It fetches itself and takes over what differs, node by node: what is the same stays the same
// object, and with it the focus, the selection, the scroll position, what is unfolded and what is
// typed. A page without this script works as well; it is then as old as it says.
"use strict";

(() => {
  const EVERY = 5000; // milliseconds between two looks
  const PATIENCE = 10000; // milliseconds for an answer
  const MOST = 60000; // milliseconds between two attempts while there is no connection

  const status = document.querySelector(".live");
  const main = document.querySelector("main");
  if (!status || !main || !window.fetch || !window.DOMParser) {
    return;
  }
  const said = document.createElement("span"); // is read out
  const age = document.createElement("span"); // changes each second, and is not
  age.setAttribute("aria-hidden", "true");
  status.append(said, age);
  status.hidden = false;

  let seen = Date.now();
  let wait = EVERY;
  let timer = 0;
  let busy = false;

  const isSame = (one, other) =>
    one.nodeType === other.nodeType &&
    one.nodeName === other.nodeName &&
    keyOf(one) === keyOf(other);

  const keyOf = (node) =>
    node.nodeType === Node.ELEMENT_NODE
      ? node.getAttribute("data-key") || node.id || ""
      : "";

  const takeAttributes = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      // What is unfolded is the reader's choice.
      if (!fresh.hasAttribute(name) && name !== "open") {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
  };

  const take = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) {
        old.nodeValue = fresh.nodeValue;
      }
      return;
    }
    if (old.hasAttribute("data-keep") || old.isEqualNode(fresh)) {
      return;
    }
    takeAttributes(old, fresh);
    takeChildren(old, fresh);
  };

  const takeChildren = (old, fresh) => {
    const keyed = new Map();
    for (const child of old.childNodes) {
      if (keyOf(child)) {
        keyed.set(keyOf(child), child);
      }
    }
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const known = keyOf(wanted) ? keyed.get(keyOf(wanted)) : null;
      if (known && known !== at && isSame(known, wanted)) {
        old.insertBefore(known, at);
        take(known, wanted);
      } else if (at && isSame(at, wanted)) {
        const next = at.nextSibling;
        take(at, wanted);
        at = next;
      } else {
        old.insertBefore(document.importNode(wanted, true), at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const tell = (text, state) => {
    if (said.textContent !== text) {
      said.textContent = text;
    }
    status.classList.toggle("lost", state === "lost");
    status.classList.toggle("paused", state === "paused");
  };

  const tick = () => {
    const seconds = Math.round((Date.now() - seen) / 1000);
    const length = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
    age.textContent = `${said.textContent ? ", " : ""}updated ${length} ago`;
  };

  const look = async () => {
    const stop = new AbortController();
    const patience = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await fetch(location.href.split("#")[0], {
        cache: "no-store",
        headers: { Accept: "text/html" },
        signal: stop.signal,
      });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    } finally {
      clearTimeout(patience);
    }
  };

  const takeIn = (fresh) => {
    const root = document.documentElement;
    if (fresh.documentElement.dataset.build !== root.dataset.build) {
      location.reload(); // another program answers, whose style and script are others
      return;
    }
    const content = fresh.querySelector("main");
    if (!content) {
      throw new Error("no page of ours");
    }
    const focused = document.activeElement;
    const before = document.title;
    takeChildren(main, content);
    document.title = fresh.title;
    if (focused && focused !== document.activeElement && main.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    const news = before === fresh.title ? "" : fresh.title.replace(/ - mailflow-agent$/, "");
    tell(news || (status.classList.contains("lost") ? "connected again" : ""), "");
  };

  const again = async () => {
    if (busy) {
      return;
    }
    clearTimeout(timer);
    if (document.hidden) {
      tell("paused", "paused");
      return;
    }
    busy = true;
    try {
      takeIn(await look());
      seen = Date.now();
      wait = EVERY;
    } catch {
      tell("connection lost", "lost");
      wait = Math.min(wait * 2, MOST);
    }
    busy = false;
    tick();
    timer = setTimeout(again, wait);
  };

  document.addEventListener("visibilitychange", again);
  window.addEventListener("online", again);
  setInterval(tick, 1000);
  tick();
  timer = setTimeout(again, wait);
})();
