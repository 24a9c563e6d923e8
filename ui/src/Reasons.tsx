/** Why records were not delivered: each rule with its count, what it says, and what to do. */

import { Box, Button, Code, Text } from "@chakra-ui/react";
import { useState } from "react";

import type { Rule, Upload } from "./answer.ts";
import { DataTable } from "./DataTable.tsx";
import { number } from "./format.ts";
import { Section } from "./Section.tsx";

const AT_FIRST = 8;

const RuleText = ({ rule }: { rule: Rule | undefined }) => (
  <Box whiteSpace="normal">
    <Text>{rule?.says || "This page has no words for this rule; the rejects and the docs have."}</Text>
    {rule?.do && (
      <Text color="fg.muted" mt={0.5}>
        <strong>What to do:</strong> {rule.do}
      </Text>
    )}
  </Box>
);

/** A number, and a bar that compares it with the largest. */
const Compared = ({ count, most }: { count: number; most: number }) => (
  <Box minW={{ base: "3rem", md: "5rem" }}>
    {number(count)}
    <Box aria-hidden bg="red.600" borderRadius="full" height="3px" ms="auto" width={`${Math.max(2, (100 * count) / most)}%`} />
  </Box>
);

type Props = { upload: Upload; rules: Map<string, Rule>; ended: boolean };

export const Reasons = ({ upload, rules, ended }: Props) => {
  const [all, setAll] = useState(false);
  const reasons = [...upload.reasons];
  const most = reasons[0]?.[1] ?? 1;
  if (!reasons.length) return null;
  const shown = all ? reasons : reasons.slice(0, AT_FIRST);
  return (
    <Section title="Why records were not delivered">
      <DataTable
        columns={[{ name: "Rule" }, { name: "Records", numeric: true }, { name: "What it means", width: "80%" }]}
        label="Reasons, the most frequent first"
        lines={shown.map(([rule, count]) => ({
          key: rule,
          cells: [<Code key="rule" minW="2.7rem" overflowWrap="anywhere" whiteSpace="normal">{rule}</Code>, <Compared count={count} key="count" most={most} />, <RuleText key="says" rule={rules.get(rule)} />],
        }))}
      />
      {shown.length < reasons.length && (
        <Button mt={2} onClick={() => setAll(true)} size="xs" variant="outline">
          Show all {number(reasons.length)}
        </Button>
      )}
      <Faults faults={upload.faults} />
      {ended && !upload.validateOnly && (
        <Text color="fg.muted" fontSize="xs" mt={2}>
          As of the task&apos;s end: what a replay has delivered since still counts here.
        </Text>
      )}
    </Section>
  );
};

const Faults = ({ faults }: { faults: Map<string, number> }) =>
  faults.size > 0 && (
    <Box mt={3}>
      <DataTable
        columns={[{ name: "Most frequent faults of invalid records", width: "80%" }, { name: "Records", numeric: true }]}
        label="Most frequent faults"
        lines={[...faults].map(([fault, count]) => ({
          key: fault,
          cells: [<Code key="fault" overflowWrap="anywhere" whiteSpace="normal">{fault}</Code>, number(count)],
        }))}
      />
    </Box>
  );
