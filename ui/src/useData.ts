/** Fetches an address, and again from time to time while somebody looks at it. */

import { useCallback, useEffect, useRef, useState } from "react";

/** Why there is nothing new: the session ended, a right is missing, or Airflow doesn't answer as it should. */
export type Problem = { kind: "session" | "forbidden" | "unavailable"; status?: number };

export type Fetched<T> = { data: T | undefined; problem: Problem | null; again: () => void };

/**
 * The last answer of each address, and when it came. Whoever comes back sees it at once; and Airflow makes the whole page
 * anew whenever its address changes, such as by a filter, for which nothing has to be asked again.
 */
const seen = new Map<string, { data: unknown; at: number }>();

/**
 * Return what an address answers, and keep what was there while it fails or while another address is on its way.
 *
 * @param path the address; null asks for nothing.
 * @param read makes a value of the answer's JSON.
 * @param pause the milliseconds until it is asked again.
 */
export function useData<T>(path: string | null, read: (answer: unknown) => T, pause: (data: T) => number): Fetched<T> {
  const [data, setData] = useState(() => (path === null ? undefined : (seen.get(path)?.data as T | undefined)));
  const [problem, setProblem] = useState<Problem | null>(null);
  const ask = useRef(() => {});
  const steps = useRef({ read, pause });
  steps.current = { read, pause };

  useEffect(() => {
    if (path === null) return undefined;
    const stopped = new AbortController();
    let timer = 0;
    let asking = false;
    ask.current = async () => {
      if (asking || document.hidden) return;
      asking = true;
      window.clearTimeout(timer);
      const found = await askFor(path, stopped.signal, steps.current.read);
      asking = false;
      if (stopped.signal.aborted) return;
      setProblem(found.problem);
      if (found.problem) {
        // Who isn't logged in, or may not see this, gains nothing by asking again and again.
        if (found.problem.kind === "unavailable") timer = window.setTimeout(ask.current, 10_000);
        return;
      }
      seen.set(path, { data: found.data, at: Date.now() });
      setData(found.data);
      timer = window.setTimeout(ask.current, steps.current.pause(found.data));
    };
    const onVisible = () => ask.current();
    document.addEventListener("visibilitychange", onVisible);
    const known = seen.get(path);
    const fresh = known ? known.at + steps.current.pause(known.data as T) - Date.now() : 0;
    if (fresh > 0) timer = window.setTimeout(ask.current, fresh);
    else ask.current();
    return () => {
      stopped.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [path]);

  return { data, problem, again: useCallback(() => ask.current(), []) };
}

type Found<T> = { data: T; problem: null } | { data: undefined; problem: Problem };

async function askFor<T>(path: string, signal: AbortSignal, read: (answer: unknown) => T): Promise<Found<T>> {
  try {
    const answer = await fetch(path, { credentials: "same-origin", headers: { Accept: "application/json" }, signal });
    if (answer.ok) return { data: read(await answer.json()), problem: null };
    const kind = answer.status === 401 ? "session" : answer.status === 403 ? "forbidden" : "unavailable";
    return { data: undefined, problem: { kind, status: answer.status } };
  } catch {
    return { data: undefined, problem: { kind: "unavailable" } };
  }
}
