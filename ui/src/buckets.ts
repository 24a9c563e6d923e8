/** Uploads summed up by the hour or the day in which they began, for the plots. */

import type { Row } from "./answer.ts";
import { addCounts, noCounts, tried, type Counts } from "./fates.ts";
import { clock, day, DAY_LONG } from "./format.ts";

export type Bucket = { start: number; label: string; counts: Counts };

/** When an upload began, for the page: as the task says, else as Airflow does. */
export const beganAt = (row: Row): number | null => row.upload.started ?? row.started;

/** Return when the oldest of these uploads began. */
export const oldestOf = (rows: Row[], now: number): number => rows.reduce((least, row) => Math.min(least, beganAt(row) ?? now), now);

/** Return the share of the records tried that has one of these fates; 0 if none was tried. */
export function shareOf(counts: Counts, ...fates: (keyof Counts)[]): number {
  const all = tried(counts);
  return all ? fates.reduce((sum, fate) => sum + counts[fate], 0) / all : 0;
}

/**
 * Return a bucket for each hour of one day, or for each day of several, the earliest first, also where nothing began.
 *
 * @param since when the oldest upload began that the page knows of, if it doesn't know all of these days: buckets before
 * it would seem empty.
 */
export function buckets(rows: Row[], days: number, now: number, since: number | null = null): Bucket[] {
  const hourly = days <= 1;
  const made = emptyBuckets(Math.max(now - days * DAY_LONG, since ?? 0), now, hourly);
  const byStart = new Map(made.map((bucket) => [bucket.start, bucket]));
  for (const row of rows) {
    const bucket = byStart.get(startOf(beganAt(row) ?? now, hourly));
    if (bucket) addCounts(bucket.counts, row.upload.counts);
  }
  return made;
}

function emptyBuckets(since: number, now: number, hourly: boolean): Bucket[] {
  const made: Bucket[] = [];
  for (let start = startOf(since, hourly); start <= now; start = startAfter(start, hourly)) {
    made.push({ start, label: hourly ? clock(start) : day(start), counts: noCounts() });
  }
  return made;
}

function startOf(moment: number, hourly: boolean): number {
  const start = new Date(moment);
  return hourly ? start.setMinutes(0, 0, 0) : start.setHours(0, 0, 0, 0);
}

/** By the calendar: a day on which the clocks change has 23 or 25 hours. */
function startAfter(start: number, hourly: boolean): number {
  const next = new Date(start);
  return hourly ? start + 3_600_000 : next.setDate(next.getDate() + 1);
}
