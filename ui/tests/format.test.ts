import assert from "node:assert/strict";
import { test } from "node:test";

import { amount, clockOrDay, duration, percent, perSecond, rateOf, relative, size, stamp } from "../src/format.ts";
import { NOW } from "./examples.ts";

test("little is never nothing, and nearly all never all", () => {
  assert.deepEqual([0, 0.00001, 0.0003, 0.0312, 0.5, 0.999999, 1].map(percent), [
    "0%", "under 0.01%", "0.03%", "3.1%", "50%", "99.99%", "100%",
  ]);
});

test("a length of time has two units at most", () => {
  assert.deepEqual([0, 440, 9_900, 12_000, 61_000, 3_600_000, 7_500_000, 90_000_000, 172_800_000].map(duration), [
    "0 s", "0.4 s", "9.9 s", "12 s", "1 min 1 s", "1 h", "2 h 5 min", "1 d 1 h", "2 d",
  ]);
});

test("a moment is told by how far it is", () => {
  assert.equal(relative(NOW + 45_000, NOW), "in 45 seconds");
  assert.equal(relative(NOW - 61_000, NOW), "1 minute ago");
  assert.equal(relative(NOW - 5 * 3_600_000, NOW), "5 hours ago");
  assert.equal(relative(NOW - 49 * 3_600_000, NOW), "2 days ago");
  assert.equal(relative(NOW + 10, NOW), "now");
});

test("times are in the browser's zone", () => {
  assert.equal(stamp(NOW), "2026-11-30 13:00:00");
  assert.equal(clockOrDay(NOW - 3_600_000, NOW), "12:00");
  assert.equal(clockOrDay(NOW - 86_400_000, NOW), "29 Nov, 13:00");
});

test("rates, sizes and amounts are short", () => {
  assert.deepEqual([0, 0.002, 0.512, 12.34, 8230.4].map(perSecond), ["0/s", "under 0.01/s", "0.51/s", "12.3/s", "8,230/s"]);
  assert.deepEqual([12, 3_400, 140_000_000, 2.5e9].map(size), ["12 B", "3.4 kB", "140 MB", "2.5 GB"]);
  assert.deepEqual([0, 1, 2000].map((count) => amount(count, "upload")), ["0 uploads", "1 upload", "2,000 uploads"]);
  assert.deepEqual([rateOf(10, 0), rateOf(0, 5), rateOf(10, 5)], [null, null, 2]);
});
