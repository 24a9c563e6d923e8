/** What the upload does at the moment, and what it cost: requests, retries, bytes, times. */

import { Grid, Text } from "@chakra-ui/react";
import type { ReactNode } from "react";

import type { Row } from "./answer.ts";
import { amount, duration, number, size } from "./format.ts";
import { Moment } from "./Moment.tsx";
import { Section } from "./Section.tsx";
import { isUnfinished, type State } from "./states.ts";
import { tookOf } from "./Uploads.tsx";

const ANSWERS: Record<string, string> = { "429": "429 (too many)", none: "no answer" };
const ORDER = ["2xx", "3xx", "4xx", "429", "5xx", "none"];

/** Return "1,200 2xx, 3 429 (too many)" as separate parts, in the order of the statuses. */
function answersOf(requests: Map<string, number>): string[] {
  const known = [...requests].sort(([one], [other]) => ORDER.indexOf(one) - ORDER.indexOf(other));
  return known.map(([answer, count]) => `${ANSWERS[answer] ?? answer}: ${number(count)}`);
}

/** Return what stands in place of the answers where none was counted, such as of a run that an earlier attempt completed. */
function noAnswers({ upload }: Row, state: State): string {
  if (isUnfinished(state)) return "none yet";
  return upload.counts.delivered || upload.counts.refused ? "not known" : "none";
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <Text as="dt" color="fg.muted" fontSize="xs">
      {name}
    </Text>
    <Text as="dd" fontSize="sm" fontVariantNumeric="tabular-nums" overflowWrap="anywhere">
      {children}
    </Text>
  </div>
);

export const Facts = ({ row, state, now }: { row: Row; state: State; now: number }) => {
  const { upload } = row;
  const took = tookOf(row, now);
  const answers = answersOf(upload.requests);
  return (
    <Section title="Requests and times">
      <Grid as="dl" gap={3} templateColumns="repeat(auto-fill, minmax(8.5rem, 1fr))">
        <Fact name="Requests by answer">
          {answers.length ? answers.map((answer) => <div key={answer}>{answer}</div>) : noAnswers(row, state)}
        </Fact>
        {isUnfinished(state) && (
          <Fact name="In flight">
            {number(upload.inFlight)}
            {upload.maxInFlight > 0 && ` of at most ${number(upload.maxInFlight)}`}
          </Fact>
        )}
        <Fact name="Retries">
          {amount(upload.retries, "request")} sent again
          {upload.resent > 0 && <div>{amount(upload.resent, "record")} maybe sent twice</div>}
        </Fact>
        <Fact name="Sent in all">{size(upload.bytes)}</Fact>
        <Fact name="Attempt">
          {number(upload.attempt || row.tryNumber)}
          {row.maxTries > 0 && ` of at most ${number(row.maxTries + 1)}`}
        </Fact>
        <Fact name="Began">
          <Moment at={upload.started ?? row.started} now={now} />
        </Fact>
        <Fact name="This attempt took">{took === null ? "–" : duration(took)}</Fact>
        <Fact name="Last sign of life">
          <Moment at={upload.updated} now={now} />
        </Fact>
        {upload.connId && <Fact name="Connection">{upload.connId}</Fact>}
      </Grid>
      {upload.resume && upload.attempts.length > 0 && (
        <Text color="fg.muted" fontSize="xs" mt={2}>
          Requests, retries and bytes of earlier attempts count up to the moment at which each last saved them: of one that
          was killed, the last seconds are missing.
        </Text>
      )}
    </Section>
  );
};
