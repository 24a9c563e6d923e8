/** What earlier attempts of the same run had delivered. */

import { Box } from "@chakra-ui/react";

import type { Attempt } from "./answer.ts";
import { DataTable } from "./DataTable.tsx";
import { number } from "./format.ts";
import { Moment } from "./Moment.tsx";
import { Section } from "./Section.tsx";

export const Attempts = ({ attempts, now }: { attempts: Attempt[]; now: number }) =>
  attempts.length > 0 && (
    <Section title="Earlier attempts">
      <Box maxW="36rem">
        <DataTable
          columns={[{ name: "Attempt" }, { name: "Delivered by its end", numeric: true }, { name: "Last sign of life", numeric: true }]}
          label="Earlier attempts"
          lines={attempts.map(({ number: attempt, delivered, ended }, index) => ({
            key: String(index),
            cells: [number(attempt), number(delivered), <Moment at={ended} key="ended" now={now} />],
          }))}
        />
      </Box>
    </Section>
  );
