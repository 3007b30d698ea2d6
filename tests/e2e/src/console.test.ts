// The console over a real Slipway: an empty one, releases that come and go under load, a
// rollback by hand and one by itself; each page for everybody, with scripts and without.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { Slipway } from "./slipway.js";
import { desktop, launch, phone, type Scheme } from "./visitor.js";

let browser: Browser;
let slipway: Slipway;
before(async () => {
  browser = await launch();
  slipway = await Slipway.start();
});
after(async () => {
  await slipway?.end();
  await browser?.close();
});

interface Look {
  screen?: { width: number; height: number };
  scheme?: Scheme;
  scripts?: boolean;
}

// Opens the console, and fails if the browser complains: a refused script or style above all.
async function look(how: Look, act: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({
    baseURL: slipway.console,
    viewport: how.screen ?? desktop,
    colorScheme: how.scheme ?? "light",
    javaScriptEnabled: how.scripts ?? true,
    reducedMotion: "reduce",
  });
  const complaints: string[] = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("console", (message) => {
      const isStatus = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !isStatus) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await act(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(complaints, []);
}

// Every page that links lead to, one of each kind.
async function everyPage(page: Page, act: (path: string) => Promise<void>): Promise<void> {
  const kind = (path: string): string => path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID").replace(/\?.*/, "");
  const waiting = ["/", "/nowhere"];
  const seen = new Set(waiting.map(kind));
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    await page.goto(path);
    await act(path);
    const links = await page.locator("a[href^='/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    for (const link of links) {
      if (seen.has(kind(link)) || link.endsWith("/file")) continue;
      seen.add(kind(link));
      waiting.push(link);
    }
  }
}

async function axe(page: Page, name: string): Promise<void> {
  const found = await new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const violations = found.violations.map((v) => `${name}: ${v.id} at ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  assert.deepEqual(violations, []);
}

const title = (page: Page, name: string | RegExp): Promise<void> => page.getByRole("heading", { level: 1, name }).waitFor();

test("before the first release every page says what to do", async () => {
  await look({ screen: phone }, async (page) => {
    await page.goto("/");
    await title(page, "Nothing is live yet");
    await page.getByText("slipway ship").waitFor();
    await everyPage(page, (path) => axe(page, path));
  });
});

test("an open page follows a rollout without being loaded again", async () => {
  const first = await slipway.ship("good", "one");
  assert.equal(first.code, 0, first.words);
  slipway.arrive();
  await look({}, async (page) => {
    let loads = 0;
    page.on("load", () => (loads += 1));
    await page.goto("/");
    await title(page, "Live and quiet");
    await page.locator(".figures__main dd").filter({ hasNotText: /^0$/ }).first().waitFor();
    const history = page.getByRole("link", { name: "History" });
    await history.focus();
    const before = await page.locator(".slot--live .slot__release").innerText();
    const shipped = slipway.ship("good", "two");
    await title(page, "A rollout is under way");
    const second = await shipped;
    assert.equal(second.code, 0, second.words);
    await page.locator(".slot--live .slot__release").filter({ hasNotText: before }).waitFor();
    await page.locator(".slot", { hasText: "warm" }).filter({ hasText: before }).waitFor();
    assert.ok(await history.evaluate((link) => link === document.activeElement), "the focus stays");
    assert.equal(loads, 1);
  });
});

test("live updates can be paused and go on", async () => {
  await look({}, async (page) => {
    await page.goto("/");
    const rate = page.locator(".chart__edge").first();
    const drawn = (): Promise<string | null> => rate.getAttribute("d");
    const changes = async (): Promise<void> => {
      const now = await drawn();
      await page.waitForFunction((was) => document.querySelector(".chart__edge")?.getAttribute("d") !== was, now);
    };
    await changes();
    let streams = 0;
    page.on("request", (request) => (streams += Number(request.url().includes("/events"))));
    await page.getByRole("button", { name: "Pause updates" }).click();
    await page.getByText("Paused").waitFor();
    assert.equal(streams, 0);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await changes();
    assert.equal(streams, 1);
  });
});

test("without scripts the overview loads itself again, until it is told not to", async () => {
  await look({ scripts: false }, async (page) => {
    await page.goto("/");
    await page.waitForEvent("load", { timeout: 15_000 });
    await page.getByRole("link", { name: "Stop that" }).click();
    await page.getByRole("link", { name: "Load it again every few seconds" }).waitFor();
    assert.equal(await page.locator("noscript meta").count(), 0);
  });
});

test("a person rolls back from the console, without scripts", async () => {
  await look({ scripts: false, screen: phone }, async (page) => {
    await page.goto("/?refresh=off");
    const live = await page.locator(".slot--live .slot__release").innerText();
    await page.getByRole("link", { name: "Roll back…" }).click();
    await title(page, "Roll shop back?");
    // Whoever is not signed in may look, and is told how to sign in.
    await page.getByRole("heading", { name: "Sign in first" }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Roll back now" }).count(), 0);
    const link = await slipway.signInLink();
    // Sessions have a host name of their own, which other servers here do not share.
    const back = new URL(new URL(page.url()).pathname, link).href;
    await page.goto(link);
    await page.getByRole("button", { name: "Sign in" }).click();
    await title(page, /^You are /);
    await page.goto(back);
    await page.getByLabel("Why").fill("prices are <wrong>");
    await page.getByRole("button", { name: "Roll back now" }).click();
    await title(page, new RegExp(`shop ${live}`));
    await page.getByText("prices are <wrong>").first().waitFor();
    // The way back takes a moment; the page looks again by itself.
    await page.goto("/");
    await page.locator(".slot--live .slot__release").filter({ hasNotText: live }).waitFor();
  });
});

test("a form of another page is refused", async () => {
  const forged = await fetch(`${slipway.console}/services/shop/rollback`, {
    method: "POST",
    headers: { origin: "http://127.0.0.1:1", "content-type": "application/x-www-form-urlencoded" },
    body: "token=none",
  });
  assert.equal(forged.status, 403);
});

test("a bad release is taken back by itself, and the page says why", async () => {
  await look({}, async (page) => {
    await page.goto("/");
    const bad = await slipway.ship("bad", "three");
    assert.equal(bad.code, 1, bad.words);
    await title(page, "shop was rolled back");
    await page.getByRole("link", { name: "What happened" }).click();
    // Whichever sees it first: the rule for bursts, or the judge.
    await page.getByRole("heading", { name: /^(error burst|the judge)$/i }).first().waitFor();
    await page.getByRole("link", { name: "Receipt" }).click();
    await page.getByText(/requests were answered while it ran; \d+ failed/).waitFor();
    const saved = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save as one file" }).click();
    assert.match((await saved).suggestedFilename(), /^receipt-shop-[0-9a-f]+\.html$/);
  });
});

// Contrast follows the scheme and layout the screen: two visits see all of both.
for (const [device, screen, scheme] of [
  ["phone", phone, "dark"],
  ["desktop", desktop, "light"],
] as const) {
  test(`axe finds nothing on a ${device} in ${scheme}`, async () => {
    await look({ screen, scheme }, async (page) => {
      const seen: string[] = [];
      await everyPage(page, async (path) => {
        seen.push(path);
        await axe(page, path);
      });
      // Overview, history, rollout, receipt, journal, log, question, fault.
      assert.ok(seen.length >= 8, seen.join(" "));
    });
  });
}

test("nothing scrolls sideways at 320 pixels, and targets are large enough", async () => {
  await look({ screen: { width: 320, height: 640 } }, async (page) => {
    await everyPage(page, async (path) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 320, `${path} is ${wide} pixels wide`);
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
          // A row is as large as it looks: its link covers all of it.
          .filter((e) => !e.closest("p, dd, li > a:only-child, .row h3") && !e.classList.contains("skip"))
          .map((e) => ({ words: e.textContent?.trim(), box: e.getBoundingClientRect() }))
          .filter(({ box }) => box.width < 24 || box.height < 24)
          .map(({ words }) => words),
      );
      assert.deepEqual(small, [], path);
    });
  });
});
