// Takes a picture of every page for people to look at: `npm run screens`, then open
// the folder test-results/screens.

import { mkdir } from "node:fs/promises";
import { book, cancel, chooseTime, desktop, launch, openTimes, phone, type Scheme, visit } from "./visitor.js";

const folder = "test-results/screens";
await mkdir(folder, { recursive: true });
const browser = await launch();
for (const scheme of ["light", "dark"] as Scheme[]) {
  for (const [device, screen] of Object.entries({ phone, desktop })) {
    await visit(browser, { screen, scheme }, async (page) => {
      const take = async (name: string): Promise<void> => {
        await page.screenshot({ path: `${folder}/${name}-${device}-${scheme}.png`, fullPage: true });
      };
      await page.goto("/");
      await take("home");
      await page.locator("main ul a").first().click();
      await take("business");
      await openTimes(page);
      await take("times");
      await chooseTime(page);
      await take("details");
      await page.getByRole("button", { name: "Confirm booking" }).click();
      await page.getByRole("alert").waitFor();
      await take("details-error");
      await book(page);
      await take("booked");
      await page.getByRole("link", { name: "Cancel this booking" }).click();
      await take("cancel");
      await page.goBack();
      await cancel(page);
      await take("cancelled");
    });
  }
}
await browser.close();
