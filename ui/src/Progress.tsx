/** How far an upload is: the bar, the share, the rate and the time left, and each fate with its number. */

import { Box, Flex, HStack, Text } from "@chakra-ui/react";

import type { Upload } from "./answer.ts";
import { DataTable } from "./DataTable.tsx";
import { FateBar, Swatch } from "./FateBar.tsx";
import { FATES, settled, shareSettled } from "./fates.ts";
import { amount, duration, number, percent, perSecond, rateOf } from "./format.ts";
import { speeds } from "./rate.ts";
import { Section } from "./Section.tsx";
import { isUnfinished, type State } from "./states.ts";

/** Fates that are shown even where no record has them: these are what one looks for. */
const ALWAYS = ["delivered", "invalid", "refused"];

/** Return the rate of the last few seconds while it goes on, else that of the whole upload. */
function rateNow(upload: Upload, state: State): number | null {
  const last = speeds(upload.rate).at(-1);
  if (state === "running" && last) return last.perSecond;
  return rateOf(upload.counts.delivered, upload.seconds);
}

function inWords(upload: Upload, state: State): string[] {
  const done = settled(upload.counts);
  const share = shareSettled(upload.counts, upload.total);
  const rate = rateNow(upload, state);
  const goesOn = isUnfinished(state);
  const far = upload.total === null ? amount(done, "record") : `${number(done)} of ${amount(upload.total, "record")}`;
  return [
    share === null ? "" : percent(share),
    upload.total === null && goesOn ? `${far} so far` : far,
    rate === null ? "" : `${perSecond(rate)}${state === "running" ? "" : " on average"}`,
    state === "running" && upload.secondsLeft !== null ? `about ${duration(upload.secondsLeft * 1000)} left` : "",
    goesOn ? "" : `in ${duration(upload.seconds * 1000)}`,
  ].filter(Boolean);
}

export const Progress = ({ upload, state }: { upload: Upload; state: State }) => {
  const { counts } = upload;
  const all = settled(counts);
  const meaning = (fate: string, means: string) =>
    upload.validateOnly && fate === "held" ? "checked and good, and not sent: this task only checks" : means;
  const [first, ...rest] = inWords(upload, state);
  const lines = FATES.filter(({ fate }) => counts[fate] || ALWAYS.includes(fate)).map(({ fate, color, means }) => ({
    key: fate,
    cells: [
      <Box key="fate">
        <HStack gap={2}>
          <Swatch color={color} />
          {fate}
        </HStack>
        <Text color="fg.muted" fontSize="xs" hideFrom="md">
          {meaning(fate, means)}
        </Text>
      </Box>,
      number(counts[fate]),
      all ? percent(counts[fate] / all) : "–",
      <Text as="span" color="fg.muted" key="means">
        {meaning(fate, means)}
      </Text>,
    ],
  }));
  return (
    <Section title="Records">
      <Flex align="baseline" columnGap={4} data-testid="progress" mb={2} wrap="wrap">
        <Text fontSize="xl" fontWeight="semibold">
          {first}
        </Text>
        {rest.map((part) => (
          <Text color="fg.muted" fontSize="sm" key={part}>
            {part}
          </Text>
        ))}
      </Flex>
      <FateBar counts={counts} height={12} open={isUnfinished(state)} total={upload.total} />
      <DataTable
        columns={[
          { name: "Fate" },
          { name: "Records", numeric: true },
          { name: "Share", numeric: true },
          { name: "What it means", width: "60%", wideOnly: true },
        ]}
        label="Records by fate"
        lines={lines}
      />
    </Section>
  );
};
