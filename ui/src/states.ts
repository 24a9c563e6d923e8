/** The state of an upload: from Airflow's task instance first, then from what the task itself said last. */

import type { Row, Upload } from "./answer.ts";
import { notDelivered } from "./fates.ts";

export const STATES = {
  running: "Running",
  waiting: "Waiting",
  silent: "No sign of life",
  green: "Done",
  "green-with-held": "Done, some wait",
  "green-with-rejects": "Done with rejects",
  red: "Failed",
  retrying: "Will retry",
  other: "Other",
} as const;

export type State = keyof typeof STATES;

/** A task writes every five seconds, so that one which is silent for so long has most likely died. */
const LONGEST_SILENCE = 60_000;

const OF_TASK: Record<string, State> = {
  deferred: "waiting",
  failed: "red",
  upstream_failed: "red",
  up_for_retry: "retrying",
};
const OF_UPLOAD: Record<string, State> = { deferred: "waiting", rejected: "red", failed: "red", stopped: "red" };
/** Airflow's states that say nothing of an upload which has begun. */
const SAYS_NOTHING = new Set(["removed", "none"]);

/** Return the state of an upload at a moment of the server's clock. */
export function stateOf(row: Row, now: number): State {
  if (row.state === null || SAYS_NOTHING.has(row.state)) return ownState(row, now);
  if (row.state === "running") return whileRunning(row, now);
  if (row.state === "success") return whenDone(row);
  return OF_TASK[row.state] ?? "other";
}

function ownState(row: Row, now: number): State {
  if (row.upload.state === "done") return whenDone(row);
  return OF_UPLOAD[row.upload.state] ?? whileRunning(row, now);
}

function whileRunning({ upload }: Row, now: number): State {
  if (upload.updated !== null && now - upload.updated > LONGEST_SILENCE) return "silent";
  return upload.waiting || upload.state === "waiting" ? "waiting" : "running";
}

function whenDone({ upload }: Row): State {
  if (notDelivered(upload.counts) > 0) return "green-with-rejects";
  return upload.counts.held > 0 ? "green-with-held" : "green";
}

const FINISHED: State[] = ["green", "green-with-held", "green-with-rejects", "red"];

/** Return whether anything more is to come, so that it is worth asking again soon. */
export const isUnfinished = (state: State): boolean => !FINISHED.includes(state);

/** Return the state in words; one of Airflow's that this page knows nothing of is called as Airflow calls it. */
export function nameOf(state: State, row: Row): string {
  if (state !== "other" || !row.state) return STATES[state];
  const words = row.state.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const WAITS_FOR: Record<string, string> = {
  maintenance: "the end of the vendor's maintenance",
  too_many_requests: "the vendor, which had too many requests (429)",
  retry_after: "the vendor, which asked for a pause",
  retry: "its next try, since the vendor failed or gave no answer",
};

/** Return what an upload waits for, as the object of "waits for". */
export const waitsFor = (why: string): string => WAITS_FOR[why] ?? "the vendor";

/** Return what an attempt after this one does, as the end of "The next attempt". */
export function nextAttempt({ validateOnly, resume, incremental }: Upload): string {
  if (validateOnly) return "checks everything again";
  if (resume) return "goes on where this one stopped";
  if (incremental) return "reads everything again, and sends what was not delivered";
  return "sends everything again: the task has resume=False";
}
