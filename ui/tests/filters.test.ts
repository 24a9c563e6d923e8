import assert from "node:assert/strict";
import { test } from "node:test";

import { filtersOf, mapIndexOf, matches, placeOf, withFilter, withoutFilters, withoutPlace, withPlace } from "../src/filters.ts";
import { NOW, row } from "./examples.ts";

const address = (text: string) => new URLSearchParams(text);
const ALL = { vendor: "", dag: "", state: "", days: 30 };

test("an empty address shows all of thirty days", () => assert.deepEqual(filtersOf(address("")), ALL));

test("the address and the filters say the same", () => {
  assert.deepEqual(filtersOf(address("vendor=thymia&dag=a+b&state=red&days=7")), { vendor: "thymia", dag: "a b", state: "red", days: 7 });
  assert.deepEqual(filtersOf(address("days=8")), ALL);
  assert.deepEqual(filtersOf(address("days=x")), ALL);
});

test("a change leaves the other filters, and what is as usual leaves the address", () => {
  assert.equal(withFilter(address("vendor=thymia"), "days", "7").toString(), "vendor=thymia&days=7");
  assert.equal(withFilter(address("vendor=thymia&days=7"), "days", "30").toString(), "vendor=thymia");
  assert.equal(withFilter(address("vendor=thymia"), "vendor", "").toString(), "");
  assert.equal(withoutFilters(address("vendor=thymia&x=1")).toString(), "x=1");
});

test("an upload in the address keeps the filters, and goes again", () => {
  const place = { dagId: "d&1", runId: "manual__2026-11-30T00:00:00+00:00", taskId: "t", mapIndex: 2 };
  const opened = withPlace(address("state=red"), place);
  assert.deepEqual(placeOf(address(opened.toString())), place);
  assert.equal(withoutPlace(opened).toString(), "state=red");
  assert.equal(placeOf(address("dag_id=d&run_id=r")), null);
});

test("a map index is a number, and of a task that isn't mapped -1", () => {
  assert.deepEqual(["0", "12", "-1", "", undefined, "x", "1e3", null].map(mapIndexOf), [0, 12, -1, -1, -1, -1, -1, -1]);
});

test("the page shows what fits every filter", () => {
  const shown = (filters: object, upload = {}) => matches(row(upload), { ...ALL, ...filters }, NOW);
  assert.ok(shown({}));
  assert.ok(shown({ vendor: "thymia", dag: "daily", state: "running" }));
  assert.ok(!shown({ vendor: "gerosense" }) && !shown({ dag: "other" }) && !shown({ state: "red" }));
  assert.ok(!shown({ days: 1 }, { started: "2026-11-29T11:59:59Z" }));
  assert.ok(shown({ days: 1 }, { started: "2026-11-29T12:00:00Z" }));
});
