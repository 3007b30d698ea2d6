// What every page has to hold, whatever it is about. Each check takes the open page and
// its name, and says what is wrong with which element.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";

export type Check = (page: Page, name: string) => Promise<void>;

// No violation that axe knows of.
export const axe: Check = async (page, name) => {
  const found = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const violations = found.violations.map((v) => `${name}: ${v.id} at ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
  assert.deepEqual(violations, []);
};

// What a finger meets 12 pixels to each side of the middle is the control; links within a
// sentence are let off, as WCAG 2.5.8 does.
export const targets: Check = async (page, name) => {
  const small = await page.evaluate(() => {
    // A link may reach beyond its words, as those that cover a whole tile do.
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
      .filter((e) => e.checkVisibility() && !reaches(e))
      .map((e) => e.textContent?.trim() || e.id);
  });
  assert.deepEqual(small, [], name);
};

// At 320 pixels nothing scrolls sideways.
export const narrow: Check = async (page, name) => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 320, `${name} is ${wide} pixels wide`);
};

// A desktop of 1280 by 1024 pixels at 400 %: nothing scrolls sideways, no words are cut
// off, and what stays in place leaves most of the screen to the page.
export const zoomed: Check = async (page, name) => {
  await narrow(page, name);
  const wrong = await page.evaluate(() => {
    const all = [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility());
    const isHidden = (e: Element): boolean => e.clientWidth <= 1 || e.clientHeight <= 1;
    const cut = all.filter((e) => {
      const style = getComputedStyle(e);
      const hides = [style.overflowX, style.overflowY].some((how) => how === "hidden" || how === "clip");
      // A field lets its visitor move along what is in it.
      const isField = e.matches("input, select, textarea, svg, svg *");
      return hides && !isField && !isHidden(e) && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
    });
    const stays = all
      .filter((e) => ["fixed", "sticky"].includes(getComputedStyle(e).position))
      .reduce((height, e) => height + e.getBoundingClientRect().height, 0);
    const said = cut.map((e) => `cut off: ${e.className} ${e.textContent?.trim().slice(0, 40)}`);
    return stays > innerHeight / 2 ? [...said, `${stays} of ${innerHeight} pixels stay in place`] : said;
  });
  assert.deepEqual(wrong, [], name);
};

// Light to load, and no script within the page.
export const light: Check = async (page, name) => {
  const html = await page.content();
  assert.ok(Buffer.byteLength(html) <= 60_000, `${name} is too heavy`);
  assert.equal(await page.locator("script:not([src])").count(), 0, name);
};

interface Stop {
  place: number;
  words: string;
  isShown: boolean;
  isCovered: boolean;
}

// The Tab key reaches every control in the order of the page, shows where it is, and is
// held nowhere.
export const keyboard: Check = async (page, name) => {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    getSelection()?.removeAllRanges();
    scrollTo(0, 0);
  });
  // Focus begins at the top, wherever an error or an anchor had put it.
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });
  const stops: Stop[] = [];
  for (let press = 0; press < 400; press += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(whereFocusIs);
    // Past the last control the focus leaves the page, or begins at its top again.
    if (stop === null || (stop.place === stops[0]?.place && stops.length > 1)) break;
    if (stop.place !== stops.at(-1)?.place) stops.push(stop);
  }
  assert.ok(stops.length < 400, `${name} holds the keyboard`);
  const all = await page.evaluate(controls);
  const reached = new Set(stops.map((stop) => stop.place));
  assert.deepEqual(all.filter((c) => !reached.has(c.place)).map((c) => c.words), [], `${name}: not reached by Tab`);
  const places = stops.map((stop) => stop.place);
  assert.deepEqual(places, [...places].sort((a, b) => a - b), `${name}: Tab jumps about`);
  assert.deepEqual(stops.filter((s) => !s.isShown).map((s) => s.words), [], `${name}: focus is not seen`);
  assert.deepEqual(stops.filter((s) => s.isCovered).map((s) => s.words), [], `${name}: focus is covered`);
};

// The control that has the focus; nothing once the focus has left the page.
function whereFocusIs(): Stop | null {
  const e = document.activeElement;
  if (e === null || e === document.body || e === document.documentElement) return null;
  const labels = e instanceof HTMLInputElement ? [...(e.labels ?? [])] : [];
  const isOutlined = (style: CSSStyleDeclaration): boolean =>
    style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
  const shown = [e, ...labels].some((on) => isOutlined(getComputedStyle(on)) || isOutlined(getComputedStyle(on, "::after")));
  const box = e.getBoundingClientRect();
  const hit = document.elementFromPoint(
    Math.min(Math.max(box.x + box.width / 2, 0), innerWidth - 1),
    Math.min(Math.max(box.y + box.height / 2, 0), innerHeight - 1),
  );
  const isMet = hit !== null && (e.contains(hit) || hit.contains(e) || labels.some((label) => label.contains(hit)));
  return {
    place: [...document.querySelectorAll("*")].indexOf(e),
    words: e.textContent?.trim().slice(0, 60) || e.id || e.outerHTML.slice(0, 60),
    isShown: shown,
    isCovered: !isMet,
  };
}

// Every control that Tab has to reach; of radio buttons of one name, the chosen or first.
function controls(): { place: number; words: string }[] {
  const every = [...document.querySelectorAll("*")];
  const isHeld = (e: Element): boolean => {
    if (!(e instanceof HTMLInputElement) || e.type !== "radio") return true;
    const group = [...document.querySelectorAll<HTMLInputElement>(`input[type=radio][name="${CSS.escape(e.name)}"]`)]
      .filter((other) => other.form === e.form && !other.disabled);
    return (group.find((other) => other.checked) ?? group[0]) === e;
  };
  return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, iframe, [tabindex='0']")]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !(e as HTMLInputElement).disabled && isHeld(e))
    .map((e) => ({ place: every.indexOf(e), words: e.textContent?.trim().slice(0, 60) || e.id }));
}

// With colours that the visitor's system forces, every control has an edge and what is
// chosen differs from what is not.
export const forced: Check = async (page, name) => {
  const wrong = await page.evaluate(() => {
    const edges = (e: Element): boolean =>
      ["", "::before", "::after"].some((part) => {
        const style = getComputedStyle(e, part);
        const isUnderlined = style.textDecorationLine.includes("underline");
        return isUnderlined || (style.borderBottomStyle !== "none" && Number.parseFloat(style.borderBottomWidth) > 0);
      });
    const looks = (e: Element): string => {
      const style = getComputedStyle(e);
      return [style.borderBottomWidth, style.borderBottomColor, style.backgroundColor, style.outline, style.color].join(" ");
    };
    const shown = (e: Element): boolean => e.checkVisibility() && e.getBoundingClientRect().width > 1;
    const bare = [...document.querySelectorAll("button, a.button, input:not([type=hidden]), select, textarea")]
      .filter(shown)
      .filter((e) => {
        const labels = e instanceof HTMLInputElement && ["radio", "checkbox"].includes(e.type) ? [...(e.labels ?? [])] : [];
        // The browser draws boxes and knobs itself, unless a label stands for them.
        const isDrawn = labels.length > 0 && getComputedStyle(e).appearance !== "none" && getComputedStyle(e).opacity !== "0";
        return !isDrawn && ![e, ...labels].some(edges);
      })
      .map((e) => `no edge: ${e.textContent?.trim() || e.id}`);
    const same = [...document.querySelectorAll<HTMLInputElement>(".time input:checked")]
      .filter((e) => {
        const other = document.querySelector<HTMLInputElement>(`.time input[name="${CSS.escape(e.name)}"]:not(:checked)`);
        const [mine, others] = [e.labels?.[0], other?.labels?.[0]];
        return mine !== undefined && others !== undefined && looks(mine) === looks(others);
      })
      .map((e) => `chosen looks like the others: ${e.id}`);
    return [...bare, ...same];
  });
  assert.deepEqual(wrong, [], name);
};
