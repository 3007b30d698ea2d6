// Every public page and state, in light and dark, on a phone and on a desktop: no violation
// that axe knows of, all of it within reach, light to load.

import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { axe, light, narrow, targets } from "./checks.js";
import { desktop, everyPage, launch, phone, type Scheme, visit } from "./visitor.js";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

for (const scheme of ["light", "dark"] as Scheme[]) {
  for (const [device, screen] of Object.entries({ phone, desktop })) {
    test(`axe finds nothing on a ${device} in ${scheme}`, async () => {
      await visit(browser, { screen, scheme, scripts: true }, (page) => everyPage(page, (name) => axe(page, name)));
    });
  }
}

test("nothing is cut off or scrolls sideways at 320 pixels", async () => {
  const screen = { width: 320, height: 640 };
  await visit(browser, { screen }, (page) => everyPage(page, (name) => narrow(page, name)));
});

test("targets are at least 24 pixels, but for links within a sentence", async () => {
  await visit(browser, { screen: phone }, (page) => everyPage(page, (name) => targets(page, name)));
});

test("a page weighs at most 60 kB and holds no script of its own", async () => {
  await visit(browser, { scripts: true }, (page) => everyPage(page, (name) => light(page, name)));
});
