import assert from "node:assert/strict";
import { test } from "node:test";

import { buckets, oldestOf, shareOf } from "../src/buckets.ts";
import { noCounts } from "../src/fates.ts";
import { NOW, row } from "./examples.ts";

const began = (started: string, delivered = 1) => row({ started, delivered });
const filled = (made: ReturnType<typeof buckets>) =>
  made.filter(({ counts }) => counts.delivered).map(({ label, counts }) => [label, counts.delivered]);

test("one day falls into hours of the browser's zone, empty ones too", () => {
  const made = buckets([began("2026-11-30T11:59:00Z"), began("2026-11-30T11:01:00Z", 2), began("2026-11-29T13:30:00Z", 4)], 1, NOW);
  assert.equal(made.length, 25);
  assert.deepEqual(filled(made), [["14:00", 4], ["12:00", 3]]);
});

test("several days fall into days of the browser's zone", () => {
  // 23:30 UTC is half past midnight of the next day in Berlin.
  const made = buckets([began("2026-11-28T23:30:00Z"), began("2026-11-29T12:00:00Z", 2), began("2026-11-23T12:30:00Z", 4)], 7, NOW);
  assert.equal(made.length, 8);
  assert.deepEqual(filled(made), [["23 Nov", 4], ["29 Nov", 3]]);
});

test("a day on which the clocks change is one day", () => {
  const after = Date.parse("2026-10-28T12:00:00Z");
  const labels = buckets([], 7, after).map(({ label }) => label);
  assert.deepEqual(labels, ["21 Oct", "22 Oct", "23 Oct", "24 Oct", "25 Oct", "26 Oct", "27 Oct", "28 Oct"]);
});

test("before the oldest upload of an incomplete list there are no buckets, whatever the filters show", () => {
  const known = [began("2026-11-28T12:00:00Z"), began("2026-11-29T12:00:00Z")];
  const made = buckets(known.slice(1), 30, NOW, oldestOf(known, NOW));
  assert.deepEqual(made.map(({ label }) => label), ["28 Nov", "29 Nov", "30 Nov"]);
});

test("the share is of the records that this run tried", () => {
  const counts = { ...noCounts(), delivered: 90, refused: 5, invalid: 5, unchanged: 900 };
  assert.equal(shareOf(counts, "refused"), 0.05);
  assert.equal(shareOf(counts, "refused", "invalid"), 0.1);
  assert.equal(shareOf(noCounts(), "refused"), 0);
});
