// A visitor: a real Chromium with a screen size, a colour scheme, and scripts on or
// off. Talks only to the address in BOOKING_URL.

import assert from "node:assert/strict";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export const address = new URL(process.env["BOOKING_URL"] ?? "http://127.0.0.1:3000");

export const phone = { width: 390, height: 844 };
export const desktop = { width: 1280, height: 900 };

export type Scheme = "light" | "dark";

export interface Visit {
  screen?: { width: number; height: number };
  scheme?: Scheme;
  scripts?: boolean;
  forced?: boolean;
  // By which name the site is called; by its number where nothing is said.
  at?: URL;
}

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

// Opens a page, hands it over, and closes the visit whatever happens. Anything that the
// browser complains about, a refused style or a failed request, fails the visit.
export async function visit(browser: Browser, how: Visit, act: (page: Page) => Promise<void>): Promise<void> {
  const context: BrowserContext = await browser.newContext({
    baseURL: (how.at ?? address).href,
    viewport: how.screen ?? phone,
    colorScheme: how.scheme ?? "light",
    javaScriptEnabled: how.scripts ?? false,
    reducedMotion: "reduce",
    forcedColors: how.forced ? "active" : "none",
    locale: "en-ZA",
  });
  const complaints: string[] = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      // The browser reports every answer that is not a success; tests look at those themselves.
      const isStatus = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !isStatus) complaints.push(message.text());
    });
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText;
      // What the browser itself breaks off because the visitor went on is no complaint.
      if (reason !== "net::ERR_ABORTED") complaints.push(`${request.url()}: ${reason}`);
    });
    await act(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

// The first service of the first business, at its page of free times. On a Friday evening the
// first free day has hardly any left, and journeys take several: then it is one of a later week.
export async function openTimes(page: Page): Promise<void> {
  await page.goto("/");
  await page.locator("main ul a").first().click();
  await page.waitForURL(/^[^?]*\/[a-z0-9-]+$/);
  await page.locator("main ul a").first().click();
  await page.getByRole("heading", { level: 1, name: "Choose a time" }).waitFor();
  while ((await page.getByRole("radio").count()) < 6) {
    const later = await page.locator("a.turn[rel=next]").getAttribute("href");
    assert.ok(later, "no week has six free times on a day");
    await page.goto(later);
  }
}

// From the times of a day to the month that it lies in.
export async function openMonth(page: Page): Promise<void> {
  await page.getByRole("link", { name: "See the whole month" }).click();
  await page.getByRole("heading", { level: 1, name: "Choose a day" }).waitFor();
}

// Chooses a free time of the shown day; each caller takes another one from the end.
export async function chooseTime(page: Page): Promise<string> {
  const radio = page.getByRole("radio").last();
  const start = await radio.inputValue();
  await radio.check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { level: 1, name: "Your details" }).waitFor();
  return start;
}

export async function fillDetails(page: Page): Promise<void> {
  await page.getByLabel("Full name").fill("Thandi Nkosi");
  await page.getByLabel("E-mail").fill(`thandi.${Date.now()}@example.co.za`);
  await page.getByLabel("Phone").fill("082 123 4567");
}

export async function confirm(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Confirm booking" }).click();
  await page.getByRole("heading", { level: 1, name: "You are booked" }).waitFor();
}

export async function book(page: Page): Promise<string> {
  await openTimes(page);
  const start = await chooseTime(page);
  await fillDetails(page);
  await confirm(page);
  return start;
}

export async function cancel(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Cancel this booking" }).click();
  await page.getByRole("heading", { level: 1, name: "Cancel this booking?" }).waitFor();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.getByRole("heading", { level: 1, name: "Your booking is cancelled" }).waitFor();
}

// Walks through every page and state; `look` is called on each.
export async function everyPage(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await page.goto("/");
  await look("home");
  await page.locator("main ul a").first().click();
  await page.waitForURL(/\/[a-z0-9-]+$/);
  await look("business");
  await openTimes(page);
  await look("times");
  await openMonth(page);
  await look("month");
  await openTimes(page);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("alert").waitFor();
  await look("times-error");
  await page.goto(`${page.url().split("/hold")[0]}?day=1999-01-01`);
  await look("times-other-day");
  await openTimes(page);
  await chooseTime(page);
  await look("details");
  await page.getByRole("button", { name: "Confirm booking" }).click();
  await page.getByRole("alert").waitFor();
  await look("details-error");
  await openTimes(page);
  await page.getByRole("heading", { name: "A time is held for you" }).waitFor();
  await look("times-held");
  const start = await page.getByRole("radio").first().inputValue();
  const times = page.url();
  await page.goto(unheld(page, start));
  const others = await takeAway(page);
  await fillDetails(page);
  await page.getByRole("button", { name: "Confirm booking" }).click();
  await page.getByRole("heading", { name: "That time has just been taken" }).waitFor();
  await look("details-gone");
  await page.goto(times);
  await chooseGone(page, start);
  await page.getByRole("heading", { name: "That time has just been taken" }).waitFor();
  await look("times-gone");
  await giveBack(others);
  await book(page);
  await look("booked");
  await page.getByRole("link", { name: "Cancel this booking" }).click();
  await page.getByRole("heading", { level: 1, name: "Cancel this booking?" }).waitFor();
  await look("cancel");
  await page.goBack();
  await cancel(page);
  await look("cancelled");
  await page.goto("/no-such-business");
  await look("fault");
}

// The form for a time that is not held for it.
export function unheld(page: Page, start: string): string {
  return `${page.url().split("?")[0]}/details?start=${encodeURIComponent(start)}`;
}

// Chooses a time that the page no longer offers, as whoever has had it open for long does.
async function chooseGone(page: Page, start: string): Promise<void> {
  const radio = page.getByRole("radio").first();
  await radio.check();
  await radio.evaluate((input, value) => ((input as HTMLInputElement).value = value), start);
  await page.getByRole("button", { name: "Continue" }).click();
}

// Books the time of the form that is open for everybody who gives it, faster than its
// visitor; gives the tokens.
async function takeAway(page: Page): Promise<string[]> {
  const start = await page.locator("input[name=start]").inputValue();
  const [business, service] = new URL(page.url()).pathname.split("/").slice(1);
  const tokens: string[] = [];
  for (;;) {
    const name = `faster-${Date.now()}-${tokens.length}`;
    const answer = await fetch(new URL(`/api/v1/businesses/${business}/bookings`, address), {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": name },
      body: JSON.stringify({ service, start, name, email: `${name}@example.co.za` }),
    });
    if (answer.status === 409) return tokens;
    assert.equal(answer.status, 201);
    tokens.push(((await answer.json()) as { token: string }).token);
    assert.ok(tokens.length < 20, `${start} is never gone`);
  }
}

async function giveBack(tokens: string[]): Promise<void> {
  for (const token of tokens) {
    const answer = await fetch(new URL(`/api/v1/bookings/${token}/cancel`, address), {
      method: "POST",
      headers: { "idempotency-key": token },
    });
    assert.equal(answer.status, 200);
  }
}
