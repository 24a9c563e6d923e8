/** The page's filters and which upload is open, as they stand in the address, so that a link can be shared. */

import type { Place, Row } from "./answer.ts";
import { beganAt } from "./buckets.ts";
import { DAY_LONG } from "./format.ts";
import { stateOf } from "./states.ts";

export const DAYS = [1, 7, 30, 90] as const;
const DEFAULT_DAYS = 30;

/** An empty text means: all. */
export type Filters = { vendor: string; dag: string; state: string; days: number };

const PLACE = ["dag_id", "run_id", "task_id", "map_index"] as const;
const FILTERS = ["vendor", "dag", "state", "days"] as const;

export function filtersOf(address: URLSearchParams): Filters {
  const days = Number(address.get("days"));
  return {
    vendor: address.get("vendor") ?? "",
    dag: address.get("dag") ?? "",
    state: address.get("state") ?? "",
    days: DAYS.find((known) => known === days) ?? DEFAULT_DAYS,
  };
}

/** Return the address with one filter changed; what is empty or as usual isn't in it. */
export function withFilter(address: URLSearchParams, name: keyof Filters, value: string): URLSearchParams {
  const changed = new URLSearchParams(address);
  if (!value || (name === "days" && Number(value) === DEFAULT_DAYS)) changed.delete(name);
  else changed.set(name, value);
  return changed;
}

/** Return the address without filters. */
export const withoutFilters = (address: URLSearchParams): URLSearchParams => without(address, FILTERS);

export const isFiltered = ({ vendor, dag, state }: Filters): boolean => Boolean(vendor || dag || state);

/** Return whether the page shows an upload with these filters. */
export function matches(row: Row, filters: Filters, now: number): boolean {
  return (
    (!filters.vendor || row.upload.vendor === filters.vendor) &&
    (!filters.dag || row.dagId === filters.dag) &&
    (!filters.state || stateOf(row, now) === filters.state) &&
    (beganAt(row) ?? now) >= now - filters.days * DAY_LONG
  );
}

/** Return the upload that the address opens; null if it opens the page. */
export function placeOf(address: URLSearchParams): Place | null {
  const [dagId, runId, taskId] = PLACE.map((name) => address.get(name) ?? "");
  if (!dagId || !runId || !taskId) return null;
  return { dagId, runId, taskId, mapIndex: mapIndexOf(address.get("map_index")) };
}

/** Return a map index as a number: -1 for a task that isn't mapped. */
export const mapIndexOf = (value: unknown): number => (/^\d{1,9}$/.test(String(value)) ? Number(value) : -1);

/** Return the address of one upload, which keeps the filters. */
export function withPlace(address: URLSearchParams, place: Place): URLSearchParams {
  const opened = new URLSearchParams(address);
  const values = [place.dagId, place.runId, place.taskId, String(place.mapIndex)];
  PLACE.forEach((name, index) => opened.set(name, values[index] ?? ""));
  return opened;
}

/** Return the address of the page that an upload was opened from. */
export const withoutPlace = (address: URLSearchParams): URLSearchParams => without(address, PLACE);

function without(address: URLSearchParams, names: readonly string[]): URLSearchParams {
  const left = new URLSearchParams(address);
  names.forEach((name) => left.delete(name));
  return left;
}
