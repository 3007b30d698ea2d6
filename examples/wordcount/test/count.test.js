import assert from "node:assert/strict";
import { test } from "node:test";

import { count } from "../count.js";

test("words are counted in every alphabet, and once each for the different ones", () => {
  assert.deepEqual(count("Don't stop — don't, über-größe 42!"), {
    words: 5,
    different: 4,
    characters: 34,
    seconds: 2,
  });
});

test("nothing is no word", () => {
  assert.equal(count(" \n").words, 0);
});
