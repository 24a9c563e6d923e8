/** An upload's state as a sign, a colour and a word. */

import { Badge } from "@chakra-ui/react";

import type { Row } from "./answer.ts";
import { clockOrDay } from "./format.ts";
import { AgainIcon, AlertIcon, CheckIcon, ClockIcon, CrossIcon, DotIcon, PlayIcon, QuestionIcon } from "./icons.tsx";
import { nameOf, stateOf, type State } from "./states.ts";

const LOOKS: Record<State, { palette: string; Sign: typeof CheckIcon }> = {
  running: { palette: "blue", Sign: PlayIcon },
  waiting: { palette: "purple", Sign: ClockIcon },
  silent: { palette: "orange", Sign: QuestionIcon },
  green: { palette: "green", Sign: CheckIcon },
  "green-with-held": { palette: "green", Sign: ClockIcon },
  "green-with-rejects": { palette: "yellow", Sign: AlertIcon },
  red: { palette: "red", Sign: CrossIcon },
  retrying: { palette: "orange", Sign: AgainIcon },
  other: { palette: "gray", Sign: DotIcon },
};

/** Return the state in words, with since when where that matters. */
export function stateInWords(row: Row, now: number): string {
  const state = stateOf(row, now);
  const name = nameOf(state, row);
  return state === "silent" && row.upload.updated ? `${name} since ${clockOrDay(row.upload.updated, now)}` : name;
}

type Props = { row: Row; now: number; size?: "sm" | "md" };

export const StateBadge = ({ row, now, size = "sm" }: Props) => {
  const state = stateOf(row, now);
  const { palette, Sign } = LOOKS[state];
  return (
    <Badge colorPalette={palette} data-state={state} data-testid="state" size={size} minW={state === "silent" ? "8.5rem" : undefined} whiteSpace={state === "silent" ? "normal" : "nowrap"}>
      <Sign />
      {stateInWords(row, now)}
    </Badge>
  );
};
