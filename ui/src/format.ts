/** Numbers, sizes and times as people read them. The words are English, so the numbers are, too. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const THREE_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const STAMP = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeStyle: "medium", hourCycle: "h23" });
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const ZONE = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY_LONG = 24 * HOUR;

export const number = (value: number): string => WHOLE.format(value);
/** A number for an axis, where there is little room: `1.2M`. */
export const shortNumber = (value: number): string => SHORT.format(value);
/** "1 upload", "2 uploads". */
export const amount = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/** Return a share of 1 in per cent, in a way that little is never nothing and nearly all is never all. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.01) return "under 0.01%";
  if (value > 99 && value < 100) return `${Math.floor(value * 100) / 100}%`;
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: value < 1 ? 2 : 1 }).format(value)}%`;
}

export function perSecond(rate: number): string {
  if (rate > 0 && rate < 0.01) return "under 0.01/s";
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: rate < 1 ? 2 : rate < 100 ? 1 : 0 }).format(rate)}/s`;
}

/** Return the records a second; null before anything is known. */
export const rateOf = (records: number, seconds: number): number | null =>
  seconds > 0 && records > 0 ? records / seconds : null;

export function size(bytes: number): string {
  for (const [unit, length] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]] as const) {
    if (bytes >= length) return `${THREE_DIGITS.format(bytes / length)} ${unit}`;
  }
  return `${number(bytes)} B`;
}

/** Return a length of time in its two largest units: `2 h 5 min`, `3 min 20 s`, `0.4 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10 * SECOND) return `${THREE_DIGITS.format(Math.max(0, Math.round(milliseconds / 100) / 10))} s`;
  const parts: [number, string][] = [
    [Math.floor(milliseconds / DAY_LONG), "d"],
    [Math.floor((milliseconds % DAY_LONG) / HOUR), "h"],
    [Math.floor((milliseconds % HOUR) / MINUTE), "min"],
    [Math.floor((milliseconds % MINUTE) / SECOND), "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/** Return how far a moment is from another one: "3 minutes ago", "in 45 seconds". */
export function relative(moment: number, now: number): string {
  const away = moment - now;
  const length = Math.abs(away);
  if (length < SECOND) return "now";
  if (length < MINUTE) return RELATIVE.format(Math.trunc(away / SECOND), "second");
  if (length < HOUR) return RELATIVE.format(Math.trunc(away / MINUTE), "minute");
  if (length < DAY_LONG) return RELATIVE.format(Math.trunc(away / HOUR), "hour");
  return RELATIVE.format(Math.trunc(away / DAY_LONG), "day");
}

/** `2026-11-30 14:05:12`, as Airflow writes it, in the browser's zone. */
export const stamp = (moment: number): string => STAMP.format(moment).replace(",", "");
/** The browser's zone, such as `CET`. */
export const zone = (moment: number): string =>
  ZONE.formatToParts(moment).find(({ type }) => type === "timeZoneName")?.value ?? "";
/** `14:05`. */
export const clock = (moment: number): string => CLOCK.format(moment);
/** `30 Nov`. */
export const day = (moment: number): string => DAY.format(moment);
/** The time of a moment of today, the day and the time of any other. */
export const clockOrDay = (moment: number, now: number): string =>
  day(moment) === day(now) ? clock(moment) : `${day(moment)}, ${clock(moment)}`;
