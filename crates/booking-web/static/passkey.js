// Makes and uses passkeys: asks the browser for one, and sends what it says with the form of
// the page. Where the browser knows none, or the page is not at the address that passkeys
// belong to, the form stays hidden and everything else works.
"use strict";

const area = document.querySelector("[data-passkey]");

const read = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const write = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

// What we ask, as the browser wants it.
const asked = ({ challenge, user, excludeCredentials, ...rest }) => ({
  ...rest,
  challenge: read(challenge),
  ...(user && { user: { ...user, id: read(user.id) } }),
  ...(excludeCredentials && {
    excludeCredentials: excludeCredentials.map((one) => ({ ...one, id: read(one.id) })),
  }),
});

// What the browser answers, as we read it.
const answer = ({ rawId, type, response }) => {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
    .filter((part) => response[part])
    .map((part) => [part, write(response[part])]);
  return JSON.stringify({ id: write(rawId), rawId: write(rawId), type, response: Object.fromEntries(parts) });
};

const ask = async (form) => {
  const begun = await fetch(area.dataset.begin, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  // The password, or signing in, comes first.
  if (begun.redirected) return location.assign(begun.url);
  // Something is wrong with the form, and its page says what.
  if (begun.status === 422) return form.submit();
  if (!begun.ok) throw new Error(`answered with ${begun.status}`);
  const publicKey = asked(await begun.json());
  const credential = await navigator.credentials[area.dataset.passkey]({ publicKey });
  form.elements.answer.value = answer(credential);
  form.submit();
};

if (area && window.PublicKeyCredential && location.origin === area.dataset.origin) {
  const form = area.querySelector("form");
  const status = area.querySelector("[role=status]");
  let isBusy = false;
  area.hidden = false;
  for (const without of document.querySelectorAll("[data-without-passkey]")) without.hidden = true;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    status.textContent = "";
    try {
      await ask(form);
    } catch {
      // Called off, too late, or refused by the device: which of them, browsers do not say.
      status.textContent = area.dataset.failed;
    }
    isBusy = false;
  });
}
