// Somebody of a business, at its desk: signs in and walks through its pages.

import { type Page } from "playwright-core";

const password = "this is only a demonstration";
const base = "/desk/karoo-cuts";

export async function signIn(page: Page, who: string): Promise<void> {
  await page.goto(`/sign-in?next=${base}`);
  await page.getByLabel("E-mail").fill(`${who}@karoo-cuts.example`);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();
}

// A weekday to come: everybody is at work, and something is booked.
export function weekday(): string {
  const day = new Date(Date.now() + 24 * 3600 * 1000);
  while (day.getUTCDay() !== 3) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${base}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
}

async function follow(page: Page, list: string): Promise<void> {
  const address = await page.locator(list).first().getAttribute("href");
  await page.goto(address ?? "nothing to follow");
  await page.getByRole("heading", { level: 1 }).waitFor();
}

// Walks through every page of the desk; `look` is called on each.
export async function everyDeskPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await signIn(page, "owner");
  await look("desk-today");
  await open(page, `/calendar?day=${weekday()}`);
  await look("desk-calendar");
  await follow(page, ".entry--visit a");
  await look("desk-booking");
  const booking = new URL(page.url()).pathname.slice(base.length);
  for (const change of ["move", "cancel", "repeat"]) {
    await open(page, `${booking}/${change}`);
    await look(`desk-${change}`);
  }
  await open(page, "/book");
  await look("desk-book");
  await page.getByRole("button", { name: "Show times" }).click();
  await page.getByRole("button", { name: "Book" }).click();
  await page.getByRole("alert").waitFor();
  await look("desk-book-wrong");
  await open(page, "/walk-in?service=haircut");
  await look("desk-walk-in");
  await open(page, "/time-off");
  await look("desk-time-off");
  await page.locator("input[name=from]").fill(weekday());
  await page.locator("input[name=until]").fill(weekday());
  await page.locator("form[action$='/time-off/new'] button").click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await look("desk-time-off-hits");
  await open(page, `/calendar/week?day=${weekday()}`);
  await look("desk-week");
  await open(page, "/customers");
  await look("desk-customers");
  await follow(page, ".rows a");
  await look("desk-customer");
  await page.goto(`${page.url()}/merge`);
  await look("desk-merge-whom");
  await open(page, "/customers?q=nobody-has-this-name");
  await look("desk-customers-none");
  await open(page, "/customers/new");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  await look("desk-customer-wrong");
  await open(page, "/services");
  await look("desk-services");
  await follow(page, ".rows a");
  await look("desk-service");
  await open(page, "/services/new");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  await look("desk-service-wrong");
  await open(page, "/staff");
  await look("desk-staff");
  await follow(page, ".rows h2 a");
  await look("desk-person");
  await open(page, "/staff");
  await follow(page, ".rows .over");
  await look("desk-hours");
  await open(page, "/rooms");
  await look("desk-rooms");
  await open(page, "/messages");
  await look("desk-messages");
  await open(page, "/settings");
  await look("desk-settings");
  for (const part of ["messages", "holidays", "privacy"]) {
    await open(page, `/settings/${part}`);
    await look(`desk-settings-${part}`);
  }
  for (const part of ["keys", "feeds", "webhooks", "members"]) {
    await open(page, `/${part}`);
    await look(`desk-${part}`);
  }
}
