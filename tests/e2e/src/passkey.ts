// Somebody of a business with a passkey, on a device that Chromium makes up.

import assert from "node:assert/strict";
import { type CDPSession, type Page } from "playwright-core";
import { signIn } from "./desk.js";

// A device like a phone: it keeps passkeys and knows its person.
async function device(page: Page): Promise<{ browser: CDPSession; authenticatorId: string }> {
  const browser = await page.context().newCDPSession(page);
  await browser.send("WebAuthn.enable");
  const { authenticatorId } = await browser.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { browser, authenticatorId };
}

async function signOut(page: Page): Promise<void> {
  await page.goto("/desk/karoo-cuts");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
}

const usePasskey = (page: Page): Promise<void> => page.getByRole("button", { name: "Sign in with a passkey" }).click();

// Adds a passkey, signs in with it, and removes it; `look` is called on each state.
export async function withPasskey(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  const { browser, authenticatorId } = await device(page);
  await signIn(page, "manager");
  await page.goto("/account/passkeys");
  await page.getByRole("button", { name: "Add a passkey" }).waitFor();
  assert.equal(await page.getByText("a script of this page has to run").isVisible(), false);
  await look("passkeys");

  await page.getByLabel("Name").fill("My own phone");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("My own phone").waitFor();
  await look("passkeys-one");
  const { credentials } = await browser.send("WebAuthn.getCredentials", { authenticatorId });
  assert.deepEqual(credentials.map((one) => [one.rpId, one.isResidentCredential]), [["localhost", true]]);

  // The same device is not asked for a second one.
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("Nothing came of it").waitFor();
  await look("passkeys-failed");

  await signOut(page);
  await usePasskey(page);
  await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();

  // Whom the device does not know is not let in.
  await signOut(page);
  await browser.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await usePasskey(page);
  await page.getByText("Nothing came of it").waitFor();
  await look("sign-in-passkey-failed");
  await browser.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await usePasskey(page);
  await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();

  // Signing in with it was signing in: it can be removed at once, and opens nothing then.
  await page.goto("/account/passkeys");
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByText("My own phone").waitFor({ state: "detached" });
  await signOut(page);
  await usePasskey(page);
  await page.getByRole("alert").waitFor();
  await look("sign-in-passkey-refused");
}
