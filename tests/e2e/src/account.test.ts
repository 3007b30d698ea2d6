// The pages about accounts, the team and privacy: no violation that axe knows of in light
// and dark, on a phone and on a desktop, all of it within reach, light to load.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { everyAccountPage } from "./account.js";
import { axe, light, targets } from "./checks.js";
import { withPasskey } from "./passkey.js";
import { address, desktop, launch, phone, type Scheme, visit } from "./visitor.js";

// Passkeys are bound to a name, and no browser gives one to a number.
const at = new URL(address);
at.hostname = "localhost";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

for (const [scheme, screen] of [["light", desktop], ["dark", phone]] as [Scheme, typeof phone][]) {
  test(`axe finds nothing on the pages of accounts, ${screen.width} pixels wide in ${scheme}`, async () => {
    await visit(browser, { screen, scheme, scripts: true }, (page) => everyAccountPage(page, (name) => axe(page, name)));
  });
}

for (const [scheme, screen] of [["light", phone], ["dark", desktop]] as [Scheme, typeof phone][]) {
  test(`a passkey is added, signs in with nothing typed, and is removed, ${screen.width} pixels wide in ${scheme}`, async () => {
    await visit(browser, { screen, scheme, scripts: true, at }, (page) =>
      withPasskey(page, async (name) => {
        await axe(page, name);
        await targets(page, name);
      }),
    );
  });
}

test("targets of the pages of accounts are large enough, and the pages light", async () => {
  await visit(browser, { screen: phone }, (page) =>
    everyAccountPage(page, async (name) => {
      await targets(page, name);
      await light(page, name);
    }),
  );
});

test("a password can be shown, and the meter says how hard a new one is to guess", async () => {
  await visit(browser, { screen: phone, scripts: true }, async (page) => {
    await page.goto("/start");
    const password = page.getByLabel("Password", { exact: true });
    const meter = page.locator("meter");
    assert.equal(await meter.isVisible(), false, "nothing is said before something is typed");
    const said: [string, string, string][] = [
      ["too short", "1", "Too short"],
      ["aaaaaaaabbbbbbbb", "2", "easy to guess"],
      ["princess123456", "2", "easy to guess"],
      ["goatsdrinkmilk", "3", "Good"],
      ["my sister sings on sundays", "4", "Very good"],
    ];
    for (const [typed, level, words] of said) {
      await password.fill(typed);
      assert.equal(await meter.getAttribute("value"), level, typed);
      assert.match((await page.locator("[data-strength] [role=status]").textContent()) ?? "", new RegExp(words), typed);
    }
    await axe(page, "start, with a meter");
    const show = page.getByLabel("Show the password");
    await show.check();
    assert.equal(await password.getAttribute("type"), "text");
    await show.uncheck();
    assert.equal(await password.getAttribute("type"), "password");
  });
});
