// Shows a password that is typed, and how hard a new one is to guess. Nothing leaves the page;
// which password is taken, the server says.
"use strict";

const SHORTEST = 12;

// How many characters say something new: one that follows from the one before it, as in "aaa"
// and "123", or a pair that was there already, says little.
const weight = (text) => {
  const seen = new Set();
  let sum = 0;
  [...text.toLowerCase()].forEach((sign, place, all) => {
    const before = all[place - 1] ?? "";
    const step = before && sign.codePointAt(0) - before.codePointAt(0);
    const isNew = before === "" || (Math.abs(step) > 1 && !seen.has(before + sign));
    seen.add(before + sign);
    sum += isNew ? 1 : 0.25;
  });
  return sum;
};

// One short word, with nothing but digits and signs around it.
const isOneWord = (text) => {
  const [, word] = /^[^\p{L}]*(\p{L}*)[^\p{L}]*$/u.exec(text) ?? [];
  return word !== undefined && word !== "" && [...word].length < SHORTEST;
};

const strength = (text) => {
  if ([...text].length < SHORTEST) return [1, "short"];
  const sum = weight(text);
  if (sum < SHORTEST * 0.7 || isOneWord(text)) return [2, "weak"];
  const words = text.match(/\p{L}+/gu) ?? [];
  return sum < 18 || words.length < 3 ? [3, "good"] : [4, "strong"];
};

for (const area of document.querySelectorAll("[data-password]")) {
  const field = document.getElementById(area.dataset.password);
  const shown = area.querySelector("[data-shown]");
  const told = area.querySelector("[data-strength]");
  area.hidden = false;
  shown.checked = false;
  shown.addEventListener("change", () => {
    field.type = shown.checked ? "text" : "password";
  });
  // What is sent or left is not shown, so that no browser keeps it among what was typed before.
  const hide = () => {
    field.type = "password";
    shown.checked = false;
  };
  field.form.addEventListener("submit", hide);
  addEventListener("pagehide", hide);
  const tell = () => {
    const [level, name] = strength(field.value);
    const [meter, words] = told.children;
    const said = field.value === "" ? "" : words.dataset[name];
    meter.hidden = field.value === "";
    meter.value = level;
    if (words.textContent !== said) words.textContent = said;
  };
  if (told) {
    field.addEventListener("input", tell);
    tell();
  }
}
