// From the first page to a booking and back, as visitors with different means.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { address, book, cancel, chooseTime, confirm, desktop, fillDetails, launch, openMonth, openTimes, phone, unheld, visit } from "./visitor.js";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

test("on a phone without scripts a time is booked and given back", async () => {
  await visit(browser, { screen: phone, scripts: false }, async (page) => {
    const start = await book(page);
    await cancel(page);
    // The time is free again for the next visitor.
    await openTimes(page);
    assert.equal(await page.locator(`input[value="${start}"]`).count(), 1);
  });
});

test("on a desktop with scripts a time is booked and given back", async () => {
  await visit(browser, { screen: desktop, scripts: true }, async (page) => {
    await book(page);
    await cancel(page);
  });
});

test("a booked time is offered to nobody else", async () => {
  await visit(browser, {}, async (page) => {
    // One person gives it, so one booking takes the time away.
    const times = "/the-quiet-room/private-yoga";
    await page.goto(times);
    const start = await chooseTime(page);
    const isOffered = async (): Promise<boolean> => {
      await page.goto(`${times}?day=${start.slice(0, 10)}`);
      return (await page.locator(`input[value="${start}"]`).count()) === 1;
    };
    // Held is as good as booked, while it lasts.
    const form = page.url();
    assert.ok(!(await isOffered()));
    await page.goto(form);
    await fillDetails(page);
    await confirm(page);
    const link = page.url();
    assert.ok(!(await isOffered()));
    await page.goto(link);
    await cancel(page);
    assert.ok(await isOffered());
  });
});

test("the way back from a booking leads to the booking", async () => {
  await visit(browser, {}, async (page) => {
    await openTimes(page);
    await chooseTime(page);
    await fillDetails(page);
    await confirm(page);
    const first = page.url();
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "You are booked" }).waitFor();
    assert.equal(page.url(), first);
    await cancel(page);
  });
});

test("what is held counts down, is extended once, and gives way to another choice", async () => {
  await visit(browser, { scripts: true }, async (page) => {
    await openTimes(page);
    const start = await chooseTime(page);
    await page.getByText(/^Held for you until \d\d:\d\d\./).waitFor();
    const clock = page.locator("[data-clock]");
    const shown = await clock.textContent();
    assert.match(shown ?? "", /^(10:00|9:\d\d)$/);
    await page.waitForFunction((before) => document.querySelector("[data-clock]")?.textContent !== before, shown);
    await page.getByLabel("Full name").fill("Thandi Nkosi");
    await page.getByRole("button", { name: "I need 10 more minutes" }).click();
    await page.waitForFunction(() => document.querySelector("[data-clock]")?.textContent?.startsWith("19:"));
    assert.equal(await page.getByLabel("Full name").inputValue(), "Thandi Nkosi");
    assert.equal(await page.getByRole("button", { name: "I need 10 more minutes" }).count(), 0);
    await page.getByRole("link", { name: "Choose another time" }).click();
    await page.getByRole("heading", { name: "A time is held for you" }).waitFor();
    const other = await chooseTime(page);
    assert.notEqual(other, start);
    await page.goBack();
    await page.reload();
    assert.equal(await page.locator(`input[value="${start}"]`).count(), 1);
  });
});

test("what is missing is said beside the field, and what was typed stays", async () => {
  await visit(browser, {}, async (page) => {
    await openTimes(page);
    await chooseTime(page);
    await page.getByLabel("Full name").fill("Zoë");
    await page.getByLabel("E-mail").fill("zoe");
    await page.getByRole("button", { name: "Confirm booking" }).click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await page.title(), /^Error: /);
    assert.equal(await page.getByLabel("Full name").inputValue(), "Zoë");
    await alert.getByRole("link").first().click();
    assert.equal(await page.evaluate(() => document.activeElement?.id), "email");
    assert.equal(await page.locator("#email").getAttribute("aria-invalid"), "true");
    const described = (await page.locator("#email").getAttribute("aria-describedby"))?.split(" ") ?? [];
    assert.ok(described.includes("email-error"));
  });
});

test("from the month to a booking with the one who was chosen", async () => {
  await visit(browser, { screen: phone, scripts: false }, async (page) => {
    await page.goto("/bluff-physio/follow-up");
    const person = page.locator(".choice__all a").last();
    const name = (await person.textContent()) ?? "";
    await person.click();
    await openMonth(page);
    assert.equal(await page.locator(".choice__all a[aria-current]").textContent(), name);
    const day = page.getByRole("link", { name: /, \d+ free times$/ }).last();
    const said = /(\d+) free times$/.exec((await day.textContent())?.trim() ?? "");
    await day.click();
    await page.getByRole("heading", { level: 1, name: "Choose a time" }).waitFor();
    assert.equal(await page.getByRole("radio").count(), Number(said?.[1]));
    await chooseTime(page);
    await page.getByText(`${name}, Bluff Physiotherapy`).waitFor();
    await fillDetails(page);
    await confirm(page);
    await page.getByText(name, { exact: true }).waitFor();
    await cancel(page);
  });
});

test("going on without a time says so", async () => {
  await visit(browser, {}, async (page) => {
    await openTimes(page);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("alert").getByRole("link", { name: "Choose a time" }).waitFor();
  });
});

test("two visitors at one time: one is booked, the other is offered what is near", async () => {
  await visit(browser, {}, async (page) => {
    await openTimes(page);
    const start = await page.getByRole("radio").last().inputValue();
    // Without holding it, as links lead to it that are older than holds.
    const form = unheld(page, start);
    const links: string[] = [];
    // As many as there are staff may have this time; then it is gone.
    for (;;) {
      await page.goto(form);
      await fillDetails(page);
      await page.getByRole("button", { name: "Confirm booking" }).click();
      await page.waitForLoadState();
      if (page.url() === form.split("?")[0]) break;
      links.push(page.url());
      assert.ok(links.length < 20, `${start} is never gone`);
    }
    await page.getByRole("heading", { name: "That time has just been taken" }).waitFor();
    assert.equal(await page.getByLabel("Full name").inputValue(), "Thandi Nkosi");
    assert.ok((await page.getByRole("radio").count()) > 0);
    await confirm(page);
    links.push(page.url());
    for (const link of links) {
      await page.goto(link);
      await cancel(page);
    }
  });
});

test("a booking is made by the keyboard alone", async () => {
  await visit(browser, { screen: desktop }, async (page) => {
    await page.goto("/");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await page.keyboard.press("Enter");
    await tabTo(page, () => document.activeElement?.closest("main ul") !== null);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/[a-z0-9-]+$/);
    await tabTo(page, () => document.activeElement?.closest(".rows") !== null);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Choose a time" }).waitFor();
    await tabTo(page, () => (document.activeElement as HTMLInputElement | null)?.type === "radio");
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowDown");
    await tabTo(page, () => document.activeElement?.textContent === "Continue");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Your details" }).waitFor();
    await tabTo(page, () => document.activeElement?.id === "name");
    await page.keyboard.type("Sipho Dlamini");
    await page.keyboard.press("Tab");
    await page.keyboard.type(`sipho.${Date.now()}@example.co.za`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await tabTo(page, () => document.activeElement?.textContent === "Confirm booking");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle), "none");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "You are booked" }).waitFor();
    await tabTo(page, () => document.activeElement?.textContent === "Cancel this booking");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Cancel this booking?" }).waitFor();
    await tabTo(page, () => document.activeElement?.textContent === "Yes, cancel it");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Your booking is cancelled" }).waitFor();
  });
});

test("a link that a mail scanner follows cancels nothing", async () => {
  await visit(browser, {}, async (page) => {
    await book(page);
    const link = page.url();
    const scanned = await fetch(`${link}/cancel`);
    assert.equal(scanned.status, 200);
    await page.goto(link);
    await page.getByRole("heading", { level: 1, name: "You are booked" }).waitFor();
    await cancel(page);
  });
});

test("a form from elsewhere is refused and changes nothing", async () => {
  await visit(browser, {}, async (page) => {
    await book(page);
    const forged = await fetch(`${page.url()}/cancel`, { method: "POST", body: new URLSearchParams({ csrf: "guess" }) });
    assert.equal(forged.status, 403);
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "You are booked" }).waitFor();
    await cancel(page);
  });
});

test("an address without a page says so and leads back", async () => {
  await visit(browser, {}, async (page) => {
    const answer = await page.goto(new URL("/no-such-business", address).href);
    assert.equal(answer?.status(), 404);
    await page.getByRole("link", { name: "Go to the start" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
  });
});

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.textContent?.trim());
}

// Presses Tab until the focus is where `isThere` says.
async function tabTo(page: Page, isThere: () => boolean): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(isThere)) return;
  }
  assert.fail("the keyboard does not get there");
}
