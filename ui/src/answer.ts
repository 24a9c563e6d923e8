/** What the plugin's two endpoints answer, read in a way that nothing in it can break the page. */

import { noCounts, type Counts } from "./fates.ts";

/** Names one task instance. The map index of a task that isn't mapped is -1. */
export type Place = { dagId: string; runId: string; taskId: string; mapIndex: number };

export type Waiting = { why: string; until: number | null };
export type Attempt = { number: number; delivered: number; ended: number | null };
/** Seconds since the attempt's start, and the records delivered by then. */
export type Point = [seconds: number, delivered: number];

/** What the task says of its upload. Moments are milliseconds since 1970. */
export type Upload = {
  vendor: string;
  kind: string;
  connId: string;
  label: string;
  state: string;
  error: string;
  started: number | null;
  updated: number | null;
  attempt: number;
  validateOnly: boolean;
  incremental: boolean;
  /** Whether the next attempt goes on where this one ends. */
  resume: boolean;
  /** Whether it sends the rejects of earlier runs again. */
  replay: boolean;
  counts: Counts;
  total: number | null;
  resent: number;
  requests: Map<string, number>;
  retries: number;
  bytes: number;
  inFlight: number;
  maxInFlight: number;
  waiting: Waiting | null;
  seconds: number;
  secondsLeft: number | null;
  reasons: Map<string, number>;
  faults: Map<string, number>;
  rate: Point[];
  attempts: Attempt[];
};

/** An upload, and what Airflow knows of the task instance that it belongs to. */
export type Row = Place & {
  mapLabel: string;
  state: string | null;
  started: number | null;
  ended: number | null;
  tryNumber: number;
  maxTries: number;
  /** Whether what the task says is in the store of an XCom backend: then its upload is empty here. */
  elsewhere: boolean;
  upload: Upload;
};

/** `more`: not all uploads are in `rows`; `dags` have some, whether or not they are in `rows`. */
export type List = { rows: Row[]; more: boolean; dags: string[]; now: number };
export type Rule = { says: string; do: string };
/** `part`: the heading that it stands below; `when`: when to use it. */
export type Command = { part: string; title: string; when: string; command: string };
export type Detail = { row: Row; rules: Map<string, Rule>; commands: Command[]; now: number };

type Fields = Record<string, unknown>;

const fields = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const textOrNull = (value: unknown): string | null => (typeof value === "string" && value ? value : null);
const isCount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
const count = (value: unknown): number => (isCount(value) ? value : 0);
const countOrNull = (value: unknown): number | null => (isCount(value) ? value : null);

function moment(value: unknown): number | null {
  const parsed = Date.parse(text(value));
  return Number.isNaN(parsed) ? null : parsed;
}

function countsByName(value: unknown): Map<string, number> {
  const found = Object.entries(fields(value)).filter((entry): entry is [string, number] => isCount(entry[1]) && entry[1] > 0);
  return new Map(found.sort((one, other) => other[1] - one[1]));
}

function counts(upload: Fields): Counts {
  const read = noCounts();
  for (const fate of Object.keys(read) as (keyof Counts)[]) read[fate] = count(upload[fate]);
  // What is rejected and not told apart was refused, as far as anybody knows.
  read.refused = Math.max(read.refused, count(upload.rejected) - read.invalid);
  return read;
}

function waiting(value: unknown): Waiting | null {
  const why = text(fields(value).why);
  return why ? { why, until: moment(fields(value).until) } : null;
}

function points(value: unknown): Point[] {
  return items(value).flatMap((point) => {
    const [seconds, delivered] = items(point);
    return isCount(seconds) && isCount(delivered) ? [[seconds, delivered] as Point] : [];
  });
}

function attempts(value: unknown): Attempt[] {
  return items(value).map(fields).map((attempt) => ({
    number: count(attempt.number),
    delivered: count(attempt.delivered),
    ended: moment(attempt.ended),
  }));
}

function readUpload(upload: Fields): Upload {
  return {
    vendor: text(upload.vendor),
    kind: text(upload.kind),
    connId: text(upload.conn_id),
    label: text(upload.label),
    state: text(upload.state),
    error: text(upload.error),
    started: moment(upload.started),
    updated: moment(upload.updated),
    attempt: count(upload.attempt),
    validateOnly: upload.validate_only === true,
    incremental: upload.incremental === true,
    resume: upload.resume !== false,
    replay: upload.replay === true,
    counts: counts(upload),
    total: countOrNull(upload.total),
    resent: count(upload.resent),
    requests: countsByName(upload.requests),
    retries: count(upload.retries),
    bytes: count(upload.bytes),
    inFlight: count(upload.in_flight),
    maxInFlight: count(upload.max_in_flight),
    waiting: waiting(upload.waiting),
    seconds: count(upload.seconds),
    secondsLeft: countOrNull(upload.seconds_left),
    reasons: countsByName(upload.reasons),
    faults: countsByName(upload.faults),
    rate: points(upload.rate),
    attempts: attempts(upload.attempts),
  };
}

/** Return one upload, or null if it names no task instance. */
function readRow(value: unknown): Row | null {
  const row = fields(value);
  if (!text(row.dag_id) || !text(row.run_id) || !text(row.task_id)) return null;
  return {
    dagId: text(row.dag_id),
    runId: text(row.run_id),
    taskId: text(row.task_id),
    mapIndex: Number.isInteger(row.map_index) ? (row.map_index as number) : -1,
    mapLabel: text(row.map_label),
    state: textOrNull(row.state),
    started: moment(row.started),
    ended: moment(row.ended),
    tryNumber: count(row.try_number),
    maxTries: count(row.max_tries),
    elsewhere: row.elsewhere === true,
    upload: readUpload(fields(row.upload)),
  };
}

/** Return the uploads of the page. */
export function readList(answer: unknown): List {
  const list = fields(answer);
  const rows = items(list.uploads).map(readRow).filter((row) => row !== null);
  const dags = items(list.dags).map(text).filter(Boolean);
  return { rows, more: list.more === true, dags, now: moment(list.now) ?? Date.now() };
}

/** Return one upload; null where there is none. */
export function readDetail(answer: unknown): Detail | null {
  const detail = fields(answer);
  const row = readRow(answer);
  if (!row) return null;
  const rules = Object.entries(fields(detail.rules)).map(
    ([rule, value]): [string, Rule] => [rule, { says: text(fields(value).says), do: text(fields(value).do) }],
  );
  const commands = items(detail.commands)
    .map(fields)
    .map(({ part, title, when, command }) => ({ part: text(part), title: text(title), when: text(when), command: text(command) }))
    .filter(({ command }) => command);
  return { row, rules: new Map(rules), commands, now: moment(detail.now) ?? Date.now() };
}
