// People who use the keyboard alone, who enlarge everything four times, or whose system
// forces its colours: every page and state, without scripts.

import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { everyAccountPage } from "./account.js";
import { forced, keyboard, zoomed } from "./checks.js";
import { everyDeskPage } from "./desk.js";
import { desktop, everyPage, launch, visit } from "./visitor.js";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

type Walk = (page: Page, look: (name: string) => Promise<void>) => Promise<void>;
const walks: Record<string, Walk> = {
  "the public pages": everyPage,
  "the desk": everyDeskPage,
  "the pages of accounts": everyAccountPage,
};

for (const [what, walk] of Object.entries(walks)) {
  test(`the keyboard reaches all of ${what} in order, and shows where it is`, async () => {
    await visit(browser, { screen: desktop }, (page) => walk(page, (name) => keyboard(page, name)));
  });

  test(`at 400 % nothing of ${what} is cut off`, async () => {
    const screen = { width: 320, height: 256 };
    await visit(browser, { screen }, (page) => walk(page, (name) => zoomed(page, name)));
  });

  test(`with forced colours every control of ${what} keeps its edge`, async () => {
    await visit(browser, { screen: desktop, forced: true }, (page) => walk(page, (name) => forced(page, name)));
  });
}
