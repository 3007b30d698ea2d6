// The desk of a business in a real browser: no violation that axe knows of in light and dark,
// on a phone and on a desktop, nothing to scroll sideways at 320 pixels, and all of it
// without scripts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser } from "playwright-core";
import { everyDeskPage, signIn } from "./desk.js";
import { desktop, launch, phone, type Scheme, visit } from "./visitor.js";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

for (const [scheme, screen] of [["light", phone], ["dark", desktop]] as [Scheme, typeof phone][]) {
  test(`axe finds nothing at the desk, ${screen.width} pixels wide in ${scheme}`, async () => {
    await visit(browser, { screen, scheme, scripts: true }, async (page) => {
      await everyDeskPage(page, async (name) => {
        const found = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        const violations = found.violations.map((v) => `${name}: ${v.id} at ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
        assert.deepEqual(violations, []);
      });
    });
  });
}

test("nothing of the desk is cut off or scrolls sideways at 320 pixels", async () => {
  await visit(browser, { screen: { width: 320, height: 640 } }, async (page) => {
    await everyDeskPage(page, async (name) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 320, `${name} is ${wide} pixels wide`);
    });
  });
});

test("a page of the desk weighs at most 60 kB and needs no script", async () => {
  await visit(browser, { scripts: true }, async (page) => {
    await everyDeskPage(page, async (name) => {
      const html = await page.content();
      assert.ok(Buffer.byteLength(html) <= 60_000, `${name} is too heavy`);
      assert.equal(await page.locator("script").count(), 0, name);
    });
  });
});

test("on a phone one calendar is shown, and the switch shows another", async () => {
  await visit(browser, { screen: phone }, async (page) => {
    await signIn(page, "desk");
    await page.getByRole("link", { name: "Calendar" }).click();
    assert.equal(await page.locator(".calendar__column:visible").count(), 1);
    const name = await page.locator(".calendar__name:visible").innerText();
    await page.locator(".whose a:not([aria-current])").first().click();
    await page.waitForLoadState();
    assert.notEqual(await page.locator(".calendar__name:visible").innerText(), name);
  });
});

test("whoever is staff sees their own calendar and no settings", async () => {
  await visit(browser, { screen: desktop }, async (page) => {
    await signIn(page, "sipho");
    const tabs = await page.locator(".tab").allInnerTexts();
    assert.deepEqual(tabs, ["Today", "Calendar"]);
    await page.getByRole("link", { name: "Calendar" }).click();
    assert.equal(await page.locator(".calendar__column:visible").count(), 1);
  });
});
