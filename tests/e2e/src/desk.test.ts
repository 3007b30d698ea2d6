// The desk of a business in a real browser: no violation that axe knows of in light and dark,
// on a phone and on a desktop, and all of it without scripts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { axe, light } from "./checks.js";
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
    await visit(browser, { screen, scheme, scripts: true }, (page) => everyDeskPage(page, (name) => axe(page, name)));
  });
}

test("a page of the desk weighs at most 60 kB and needs no script", async () => {
  await visit(browser, { scripts: true }, async (page) => {
    await everyDeskPage(page, async (name) => {
      await light(page, name);
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
