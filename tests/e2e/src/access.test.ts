// Every page and state, in light and dark, on a phone and on a desktop: no violation
// that axe knows of, nothing to scroll sideways at 320 pixels, light to load.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser } from "playwright-core";
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
      await visit(browser, { screen, scheme, scripts: true }, async (page) => {
        await everyPage(page, async (name) => {
          const found = await new AxeBuilder({ page })
            .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
            .analyze();
          const violations = found.violations.map((v) => `${name}: ${v.id} at ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
          assert.deepEqual(violations, []);
        });
      });
    });
  }
}

test("nothing is cut off or scrolls sideways at 320 pixels", async () => {
  await visit(browser, { screen: { width: 320, height: 640 } }, async (page) => {
    await everyPage(page, async (name) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 320, `${name} is ${wide} pixels wide`);
    });
  });
});

test("targets are at least 24 pixels, but for links within a sentence", async () => {
  await visit(browser, { screen: phone }, async (page) => {
    await everyPage(page, async (name) => {
      const small = await page.evaluate(() => {
        // What a finger meets 12 pixels to each side of the middle; a link may reach
        // beyond its words, as those that cover a whole tile do.
        const reaches = (e: Element): boolean => {
          e.scrollIntoView({ block: "center" });
          const box = e.getBoundingClientRect();
          const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
          const labels = e instanceof HTMLInputElement ? [...(e.labels ?? [])] : [];
          return [[x - 11.5, y], [x + 11.5, y], [x, y - 11.5], [x, y + 11.5]].every(([x, y]) => {
            const hit = document.elementFromPoint(x ?? 0, y ?? 0);
            return hit !== null && (e.contains(hit) || labels.some((label) => label.contains(hit)));
          });
        };
        return [...document.querySelectorAll("a, button, input:not([type=hidden]), textarea")]
          .filter((e) => !e.closest("p, li > a:only-child") && !e.classList.contains("skip"))
          .filter((e) => !reaches(e))
          .map((e) => e.textContent?.trim() || e.id);
      });
      assert.deepEqual(small, [], name);
    });
  });
});

test("a page weighs at most 60 kB and holds no script of its own", async () => {
  await visit(browser, { scripts: true }, async (page) => {
    await everyPage(page, async (name) => {
      const html = await page.content();
      assert.ok(Buffer.byteLength(html) <= 60_000, `${name} is too heavy`);
      assert.equal(await page.locator("script:not([src])").count(), 0, name);
    });
  });
});
