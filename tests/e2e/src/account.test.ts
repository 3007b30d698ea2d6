// The pages about accounts, the team and privacy: no violation that axe knows of in light
// and dark, on a phone and on a desktop, all of it within reach, light to load.

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
