/** What has changed in an upload's state, for the eye and for a screen reader: not every number. */

import { VisuallyHidden } from "@chakra-ui/react";

import type { Row } from "./answer.ts";
import { clockOrDay, relative } from "./format.ts";
import { Notice } from "./Notice.tsx";
import { stateInWords } from "./StateBadge.tsx";
import { nextAttempt, waitsFor, type State } from "./states.ts";

type Props = { row: Row; state: State; now: number };

/** The words for a screen reader, which hears them again whenever they change. */
function spoken(row: Row, now: number): string {
  const { waiting } = row.upload;
  const until = waiting?.until ? `, until ${clockOrDay(waiting.until, now)}` : "";
  return `${stateInWords(row, now)}${waiting ? `: waits for ${waitsFor(waiting.why)}${until}` : ""}`;
}

export const News = ({ row, state, now }: Props) => (
  <>
    <VisuallyHidden role="status">{spoken(row, now)}</VisuallyHidden>
    <Shown now={now} row={row} state={state} />
  </>
);

const Shown = ({ row, state, now }: Props) => {
  const { waiting, error, updated } = row.upload;
  if (state === "waiting")
    return (
      <Notice silent status="info" title={`It waits for ${waiting ? waitsFor(waiting.why) : "the vendor"}`}>
        {whenItGoesOn(waiting?.until ?? null, now)}
      </Notice>
    );
  if (state === "silent")
    return (
      <Notice silent status="warning" title={`No sign of life for ${updated === null ? "a while" : relative(updated, now).replace(" ago", "")}`}>
        Airflow still calls the task running. If its worker has died, Airflow fails or repeats the task by itself after a
        few minutes. {nextAttemptInWords(row)}
      </Notice>
    );
  if (state === "retrying")
    return (
      <Notice silent status="warning" title={`The attempt ended${error ? ` with ${error}` : ""}; Airflow will try again`}>
        {nextAttemptInWords(row)}
      </Notice>
    );
  if (state === "red" && row.upload.state === "rejected")
    return (
      <Notice silent status="error" title="More records are rejected or unknown than the task allows">
        All that could be delivered was. The reasons are below, with what to do about each.
      </Notice>
    );
  if (state === "red")
    return (
      <Notice silent status="error" title={error ? `It ended with ${error}` : "It ended red"}>
        The task&apos;s log says more.
      </Notice>
    );
  return null;
};

const nextAttemptInWords = ({ upload }: Row): string => `The next attempt ${nextAttempt(upload)}.`;

function whenItGoesOn(until: number | null, now: number): string {
  if (until === null) return "It goes on by itself.";
  if (until <= now) return "It asks again at any moment.";
  return `It goes on, or asks again, at ${clockOrDay(until, now)}, ${relative(until, now)}.`;
}
