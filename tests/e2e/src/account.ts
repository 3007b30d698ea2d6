// Whoever owns a business, on the pages about the account, the team and privacy, and a
// customer on what they may ask about their data.

import { type Page } from "playwright-core";
import { signIn } from "./desk.js";

const business = "/karoo-cuts";
const desk = `/desk${business}`;

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.getByRole("heading", { level: 1 }).waitFor();
}

async function press(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
}

// Walks through every page and state; `look` is called on each.
export async function everyAccountPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await beforeSigningIn(page, look);
  await ofCustomers(page, look);
  await ofPrograms(page, look);
  await signIn(page, "owner");
  for (const path of ["/desk", "/account", "/account/password", "/account/codes", "/account/passkeys", `${desk}/members`, `${desk}/welcome`]) {
    await open(page, path);
    await look(path);
  }
  await ofPrivacy(page, look);
}

async function beforeSigningIn(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await open(page, "/sign-in");
  await look("sign-in");
  await page.getByLabel("E-mail").fill(`nobody.${Date.now()}@example.com`);
  await page.getByLabel("Password", { exact: true }).fill("not the password of anybody");
  await press(page, "Sign in");
  await page.getByRole("alert").waitFor();
  await look("sign-in-refused");
  await open(page, "/forgot");
  await look("forgot");
  await open(page, "/reset/no-such-link");
  await look("link-over");
  await open(page, "/start");
  await look("start");
  await press(page, "Make my page");
  await page.getByRole("alert").waitFor();
  await look("start-wrong");
}

async function ofCustomers(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await open(page, `${business}/privacy`);
  await look("privacy");
  await open(page, `${business}/privacy/request`);
  await look("ask");
  await press(page, "Send");
  await page.getByRole("alert").waitFor();
  await look("ask-wrong");
  await open(page, `/embed${business}`);
  await look("embed");
}

async function ofPrograms(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await open(page, "/api/v1/docs/objects");
  await look("api-objects");
  await open(page, "/api/v1/docs");
  await look("api");
}

async function ofPrivacy(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await open(page, `${desk}/privacy`);
  await page.getByRole("textbox", { name: "E-mail" }).fill(`somebody.${Date.now()}@example.com`);
  await press(page, "Write it down");
  await page.getByText("Nobody has asked").waitFor({ state: "detached" });
  await open(page, `${desk}/privacy`);
  await look("office");
  await page.locator(".rows a").first().click();
  await page.getByRole("button", { name: "Refuse: send the answer" }).waitFor();
  await look("office-request");
  await open(page, `${desk}/privacy/access`);
  await look("office-access");
  await open(page, `${desk}/privacy/incidents`);
  await look("incidents");
  await page.locator("textarea[name=what]").fill("A telephone with the calendar was left in a taxi.");
  await page.locator("input[name=began]").fill("2026-11-20T08:00");
  await page.locator("input[name=ended]").fill("2026-11-20T09:00");
  for (const field of ["consequences", "measures", "advice"]) {
    await page.locator(`textarea[name=${field}]`).fill("Nothing that we know of.");
  }
  await press(page, "Find whom it is about");
  await page.locator("#regulator").waitFor();
  await look("incident");
}
