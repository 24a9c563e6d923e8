import assert from "node:assert/strict";
import { test } from "node:test";

import { readDetail, readList } from "../src/answer.ts";
import { NOW, row, rowFields } from "./examples.ts";

const GARBAGE = [null, 3, "x", [], {}, { a: 1 }, { uploads: 3 }, { uploads: [null, 1, "x", [], {}, { dag_id: 3 }] }];

test("garbage is an empty list, and no upload", () => {
  for (const answer of GARBAGE) {
    assert.deepEqual(readList(answer).rows, []);
    assert.equal(readDetail(answer), null);
  }
});

test("a field of another kind than agreed counts as absent", () => {
  const strange = { vendor: {}, delivered: "9", invalid: -1, refused: Infinity, requests: [1], reasons: "x", rate: {}, waiting: 4 };
  const { upload } = row({ ...strange, attempts: [null], total: "many", started: "yesterday" });
  assert.equal(upload.vendor, "");
  assert.deepEqual(upload.counts, { delivered: 0, unchanged: 0, valid: 0, held: 0, invalid: 0, refused: 0, unknown: 0 });
  assert.deepEqual([upload.total, upload.started, upload.waiting], [null, null, null]);
  assert.deepEqual([upload.reasons.size, upload.requests.size, upload.rate.length], [0, 0, 0]);
  assert.deepEqual(upload.attempts, [{ number: 0, delivered: 0, ended: null }]);
});

test("what is rejected and not told apart was refused", () => {
  assert.equal(row({ rejected: 5, invalid: 2 }).upload.counts.refused, 3);
  assert.equal(row({ rejected: 5, invalid: 2, refused: 3 }).upload.counts.refused, 3);
});

test("the most frequent reason comes first, and one of nothing not at all", () => {
  assert.deepEqual([...row({ reasons: { G7: 1, G8: 20, G5: 0, G6: "x" } }).upload.reasons], [["G8", 20], ["G7", 1]]);
});

test("an upload comes with its rules and commands", () => {
  const detail = readDetail({
    ...rowFields({ reasons: { G8: 2 } }, { map_index: 3 }),
    rules: { G8: { says: "a number above 0", do: "Correct it." }, G9: 3 },
    commands: [{ part: "See", title: "See them", when: "Always.", command: "airflow userdata" }, { title: "none" }, null],
    now: "2026-11-30T12:00:00Z",
  });
  assert.equal(detail?.row.mapIndex, 3);
  assert.deepEqual(detail?.rules.get("G8"), { says: "a number above 0", do: "Correct it." });
  assert.deepEqual(detail?.rules.get("G9"), { says: "", do: "" });
  assert.deepEqual(detail?.commands, [{ part: "See", title: "See them", when: "Always.", command: "airflow userdata" }]);
  assert.equal(detail?.now, NOW);
});

test("what is kept in an XCom backend is told from what has no counts", () => {
  assert.equal(readList({ uploads: [{ ...rowFields(), upload: null, elsewhere: true }] }).rows[0]?.elsewhere, true);
  assert.equal(row().elsewhere, false);
});

test("the DAGs that have uploads come with the list", () => {
  assert.deepEqual(readList({ uploads: [], more: true, dags: ["a", 3, "", "b"] }).dags, ["a", "b"]);
  assert.deepEqual(readList({ uploads: [], dags: "a" }).dags, []);
});
