import assert from "node:assert/strict";
import { test } from "node:test";

import { isUnfinished, nameOf, nextAttempt, stateOf } from "../src/states.ts";
import { NOW, row } from "./examples.ts";

const state = (upload: object, task: object = {}) => stateOf(row({ ...upload }, { ...task }), NOW);

test("a running task is running, or waits if it says so", () => {
  assert.equal(state({}), "running");
  assert.equal(state({ waiting: { why: "maintenance", until: "2026-11-30T13:00:00Z" } }), "waiting");
  assert.equal(state({ state: "waiting" }), "waiting");
  assert.equal(state({}, { state: "deferred" }), "waiting");
});

test("a running task that has been silent for over a minute gives no sign of life", () => {
  assert.equal(state({ updated: "2026-11-30T11:59:00Z" }), "running");
  assert.equal(state({ updated: "2026-11-30T11:58:59Z" }), "silent");
  assert.equal(state({ updated: "2026-11-30T11:00:00Z", waiting: { why: "maintenance" } }), "silent");
});

test("a green task with anything that was not delivered is not simply done", () => {
  assert.equal(state({ delivered: 3, unchanged: 2 }, { state: "success" }), "green");
  assert.equal(state({ delivered: 3, held: 2 }, { state: "success" }), "green-with-held");
  for (const fate of ["invalid", "refused", "unknown", "rejected"]) {
    assert.equal(state({ delivered: 3, held: 2, [fate]: 1 }, { state: "success" }), "green-with-rejects", fate);
  }
});

test("a task that only checks holds what is good, and is done", () => {
  assert.equal(state({ valid: 3, validate_only: true }, { state: "success" }), "green");
  assert.equal(state({ valid: 3, invalid: 1, validate_only: true }, { state: "success" }), "green-with-rejects");
});

test("Airflow's word counts more than what the task said last", () => {
  assert.equal(state({ state: "delivering" }, { state: "failed" }), "red");
  assert.equal(state({ state: "done" }, { state: "upstream_failed" }), "red");
  assert.equal(state({ state: "failed" }, { state: "up_for_retry" }), "retrying");
});

test("the task's own word counts where Airflow has none", () => {
  for (const without of [null, "removed"]) {
    assert.equal(state({ state: "done" }, { state: without }), "green");
    assert.equal(state({ state: "stopped" }, { state: without }), "red");
    assert.equal(state({ state: "rejected" }, { state: without }), "red");
    assert.equal(state({ state: "deferred", updated: "2026-11-30T11:00:00Z" }, { state: without }), "waiting");
    assert.equal(state({}, { state: without }), "running");
  }
});

test("a state that nobody knows is shown as it is called", () => {
  const unknown = row({}, { state: "up_for_reschedule" });
  assert.equal(stateOf(unknown, NOW), "other");
  assert.equal(nameOf("other", unknown), "Up for reschedule");
});

test("only what has ended is finished", () => {
  assert.ok(isUnfinished("retrying") && isUnfinished("silent") && isUnfinished("other"));
  assert.ok(!isUnfinished("red") && !isUnfinished("green-with-held") && !isUnfinished("green") && !isUnfinished("green-with-rejects"));
});

test("the next attempt goes on only where it does", () => {
  const next = (upload: object) => nextAttempt(row({ ...upload }).upload);
  assert.equal(next({}), "goes on where this one stopped");
  assert.equal(next({ resume: false }), "sends everything again: the task has resume=False");
  assert.equal(next({ resume: false, incremental: true }), "reads everything again, and sends what was not delivered");
  assert.equal(next({ resume: true, validate_only: true }), "checks everything again");
});
