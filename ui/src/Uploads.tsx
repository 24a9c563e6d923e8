/** The page's uploads: a table, and cards where there is no room for one. */

import { Badge, Box, Flex, Stack, Table, Text, useMediaQuery } from "@chakra-ui/react";
import { useSearchParams } from "react-router-dom";

import type { Row } from "./answer.ts";
import { beganAt } from "./buckets.ts";
import { CountsLine, FateBar } from "./FateBar.tsx";
import { withPlace } from "./filters.ts";
import { duration, perSecond, rateOf } from "./format.ts";
import { HostLink, taskPath } from "./host.tsx";
import { Moment } from "./Moment.tsx";
import { StateBadge } from "./StateBadge.tsx";
import { isUnfinished, stateOf } from "./states.ts";
import { titleOf } from "./vendors.ts";

type Props = { rows: Row[]; now: number };

const keyOf = (row: Row): string => JSON.stringify([row.dagId, row.runId, row.taskId, row.mapIndex]);

/** Return how long a task instance took, or takes until now. */
export function tookOf({ started, ended }: Row, now: number): number | null {
  return started === null ? null : Math.max(0, (ended ?? now) - started);
}

/** What a mapped task uploads, in words if there are any. */
export const labelOf = ({ upload, mapLabel, mapIndex }: Row): string =>
  upload.label || mapLabel || (mapIndex >= 0 ? String(mapIndex) : "");

const What = ({ row }: { row: Row }) => {
  const [address] = useSearchParams();
  const label = labelOf(row);
  const title = titleOf(row.upload);
  const task = `${row.dagId} · ${row.taskId}${label && ` [${label}]`}`;
  return (
    <Box maxW={{ md: "20rem" }} minW={0}>
      <Text as="div" lineClamp={2} title={title}>
        <HostLink bold to={{ search: `?${withPlace(address, row)}` }}>
          {title}
        </HostLink>
        {row.upload.validateOnly && (
          <Badge ml={2} size="xs">
            check only
          </Badge>
        )}
      </Text>
      <Text as="div" fontSize="xs" lineClamp={2} title={task}>
        <HostLink label={`Task ${row.taskId} of DAG ${row.dagId}`} to={taskPath(row)}>
          {task}
        </HostLink>
      </Text>
    </Box>
  );
};

const Records = ({ row, now }: { row: Row; now: number }) => (
  <Stack gap={1}>
    <FateBar counts={row.upload.counts} open={isUnfinished(stateOf(row, now))} total={row.upload.total} />
    <CountsLine counts={row.upload.counts} />
  </Stack>
);

const Rate = ({ row }: { row: Row }) => {
  const rate = rateOf(row.upload.counts.delivered, row.upload.seconds);
  return <>{rate === null ? "–" : perSecond(rate)}</>;
};

const Took = ({ row, now }: { row: Row; now: number }) => {
  const took = tookOf(row, now);
  return <>{took === null ? "–" : duration(took)}</>;
};

const HEADERS = ["State", "Upload", "Records", "Rate", "Duration", "Began"] as const;
const WIDTHS: Partial<Record<(typeof HEADERS)[number], string>> = { State: "9.5rem", Records: "40%" };
const NUMBERS = { textAlign: "end", whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" } as const;

const WideUploads = ({ rows, now }: Props) => (
  <Box overflowX="auto">
    <Table.Root aria-label="Uploads, the newest first" size="sm">
      <Table.Header>
        <Table.Row>
          {HEADERS.map((header) => (
            <Table.ColumnHeader
              key={header}
              scope="col"
              textAlign={header === "Rate" || header === "Duration" ? "end" : undefined}
              width={WIDTHS[header]}
            >
              {header}
            </Table.ColumnHeader>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {rows.map((row) => (
          <Table.Row data-testid="upload" key={keyOf(row)}>
            <Table.Cell>
              <StateBadge now={now} row={row} />
            </Table.Cell>
            <Table.Cell>
              <What row={row} />
            </Table.Cell>
            <Table.Cell>
              <Records now={now} row={row} />
            </Table.Cell>
            <Table.Cell {...NUMBERS}>
              <Rate row={row} />
            </Table.Cell>
            <Table.Cell {...NUMBERS}>
              <Took now={now} row={row} />
            </Table.Cell>
            <Table.Cell>
              <Moment at={beganAt(row)} now={now} />
            </Table.Cell>
          </Table.Row>
        ))}
      </Table.Body>
    </Table.Root>
  </Box>
);

const NarrowUploads = ({ rows, now }: Props) => (
  <Stack aria-label="Uploads, the newest first" as="ul" fontSize="sm" gap={2} listStyleType="none">
    {rows.map((row) => (
      <Stack as="li" borderRadius="md" borderWidth={1} data-testid="upload" gap={2} key={keyOf(row)} p={3}>
        <Flex align="start" gap={2} justify="space-between">
          <What row={row} />
          <StateBadge now={now} row={row} />
        </Flex>
        <Records now={now} row={row} />
        <Flex color="fg.muted" columnGap={3} fontSize="xs" wrap="wrap">
          <span>
            began <Moment at={beganAt(row)} now={now} />
          </span>
          <span>
            took <Took now={now} row={row} />
          </span>
          {rateOf(row.upload.counts.delivered, row.upload.seconds) !== null && (
            <span>
              <Rate row={row} />
            </span>
          )}
        </Flex>
      </Stack>
    ))}
  </Stack>
);

export const Uploads = (props: Props) => {
  const [wide] = useMediaQuery(["(min-width: 48rem)"], { ssr: false });
  return wide ? <WideUploads {...props} /> : <NarrowUploads {...props} />;
};
