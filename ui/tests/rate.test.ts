import assert from "node:assert/strict";
import { test } from "node:test";

import { speeds } from "../src/rate.ts";

test("the rate is what came between two points", () => {
  assert.deepEqual(speeds([[0, 0], [5, 1000], [15, 2000]]), [
    { seconds: 5, perSecond: 200 },
    { seconds: 15, perSecond: 100 },
  ]);
});

test("fewer than two points have no rate", () => {
  assert.deepEqual(speeds([]), []);
  assert.deepEqual(speeds([[5, 10]]), []);
});

test("points that go back are left out", () => {
  assert.deepEqual(speeds([[0, 0], [5, 10], [5, 20], [4, 30], [10, 5], [10, 20]]), [
    { seconds: 5, perSecond: 2 },
    { seconds: 10, perSecond: 2 },
  ]);
});
