// Takes a picture of every page for people to look at: `npm run screens`, then open
// the folder test-results/screens.

import { mkdir } from "node:fs/promises";
import { everyAccountPage } from "./account.js";
import { everyDeskPage } from "./desk.js";
import { desktop, everyPage, launch, phone, type Scheme, visit } from "./visitor.js";

const folder = "test-results/screens";
await mkdir(folder, { recursive: true });
const browser = await launch();
for (const scheme of ["light", "dark"] as Scheme[]) {
  for (const [device, screen] of Object.entries({ phone, desktop })) {
    await visit(browser, { screen, scheme }, async (page) => {
      const look = async (name: string): Promise<void> => {
        // Where the mouse was left says nothing about the page.
        await page.mouse.move(0, 0);
        await page.screenshot({ path: `${folder}/${name.replaceAll("/", "-")}-${device}-${scheme}.png`, fullPage: true });
      };
      await everyPage(page, look);
      await everyDeskPage(page, look);
      await everyAccountPage(page, look);
    });
  }
}
await browser.close();
