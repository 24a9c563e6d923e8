/** The title of the browser's tab, by which one of several is found. */

import { useEffect } from "react";

/** Put a text before the tab's title while `own` is shown, as Airflow's own pages do. */
export function useTitle(own: string): void {
  useEffect(() => {
    const prefix = `${own} - `;
    // After Airflow, which takes the title of the page before away as soon as this one is shown.
    const timer = window.setTimeout(() => {
      if (!document.title.startsWith(prefix)) document.title = prefix + document.title;
    });
    return () => {
      window.clearTimeout(timer);
      if (document.title.startsWith(prefix)) document.title = document.title.slice(prefix.length);
    };
  }, [own]);
}
