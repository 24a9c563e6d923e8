/** The server's clock, which may be another one than the browser's. */

import { useEffect, useState } from "react";

/** Return the server's time, every second anew while `ticking`, from its time in the latest answer. */
export function useNow(answered: number, ticking: boolean): number {
  const [now, setNow] = useState(answered);
  useEffect(() => {
    const received = Date.now();
    setNow(answered);
    if (!ticking) return undefined;
    const timer = window.setInterval(() => setNow(answered + Date.now() - received), 1_000);
    return () => window.clearInterval(timer);
  }, [answered, ticking]);
  return now;
}
