// Keeps an open page up to date: each event names a region and brings its HTML, made by
// the same template as the page. Only what differs is changed, so that focus, selection
// and a screen reader stay where they are. Without this script the page loads itself again.

const page = document.querySelector("[data-events]");
const pulse = document.getElementById("pulse");
const words = document.getElementById("pulse-words");
const button = document.getElementById("pulse-pause");
const RETRY_MS = 5000;

let stream = null;
let retry = 0;
let isPaused = false;

function say(state, text) {
  pulse.dataset.state = state;
  if (words.textContent !== text) words.textContent = text;
}

function update(event) {
  const region = document.getElementById(event.type);
  if (!region) return;
  const fresh = region.cloneNode(false);
  fresh.innerHTML = event.data;
  children(region, fresh);
}

// Makes the nodes in `from` read like those in `to`.
function children(from, to) {
  const wanted = [...to.childNodes];
  [...from.childNodes].slice(wanted.length).forEach((node) => node.remove());
  wanted.forEach((node, place) => {
    const old = from.childNodes[place];
    if (!old) from.append(node);
    else if (old.nodeName !== node.nodeName) old.replaceWith(node);
    else if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== node.data) old.data = node.data;
    } else {
      attributes(old, node);
      children(old, node);
    }
  });
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
}

function open() {
  close();
  stream = new EventSource(page.dataset.events);
  stream.onopen = () => say("live", "Live");
  stream.onerror = () => {
    say("lost", "Control does not answer; trying again");
    // The browser tries again by itself, but not after an answer that is no stream.
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
  };
  for (const region of document.querySelectorAll("[data-live]")) stream.addEventListener(region.id, update);
}

function close() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

// A page that nobody looks at holds no stream: browsers allow few of them.
function decide() {
  if (isPaused || document.hidden) close();
  else if (!stream) open();
  button.textContent = isPaused ? "Go on" : "Pause updates";
  if (isPaused) say("paused", "Paused");
}

if (page && pulse && "EventSource" in window) {
  pulse.hidden = false;
  say("lost", "Connecting");
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    decide();
  });
  document.addEventListener("visibilitychange", decide);
  addEventListener("pagehide", close);
  addEventListener("pageshow", decide);
}
