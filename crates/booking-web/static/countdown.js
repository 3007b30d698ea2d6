// Counts down the time that is held. The page states the end in words; this only makes it
// visible as it comes nearer, and says so twice, politely, to those who listen.
"use strict";

const held = document.querySelector("[data-held-for]");
if (held) {
  const end = Date.now() + Number(held.dataset.heldFor) * 1000;
  const clock = held.querySelector("[data-clock]");
  const status = held.querySelector("[data-status]");
  let said = "";
  const say = (words) => {
    if (said !== words) status.textContent = said = words;
  };
  const show = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.hidden = left === 0;
    held.classList.toggle("held--soon", left <= 120);
    if (left === 0) say(held.dataset.over);
    else if (left <= 120) say(held.dataset.soon);
    if (left > 0) setTimeout(show, 1000);
  };
  show();
  // A page that was put aside is shown again as it was.
  addEventListener("pageshow", (event) => event.persisted && show());
}
