/** Answers of the endpoints for the tests. */

import { readList, type Row } from "../src/answer.ts";

export const NOW = Date.parse("2026-11-30T12:00:00Z");

type Fields = Record<string, unknown>;

export const rowFields = (upload: Fields = {}, task: Fields = {}): Fields => ({
  dag_id: "daily",
  run_id: "manual__1",
  task_id: "upload",
  map_index: -1,
  state: "running",
  started: "2026-11-30T11:00:00Z",
  ended: null,
  ...task,
  upload: {
    vendor: "thymia",
    state: "delivering",
    started: "2026-11-30T11:00:00Z",
    updated: "2026-11-30T11:59:57Z",
    ...upload,
  },
});

/** Return a row as the page has it. */
export function row(upload: Fields = {}, task: Fields = {}): Row {
  const [made] = readList({ uploads: [rowFields(upload, task)] }).rows;
  if (!made) throw new Error("the example is no row");
  return made;
}
