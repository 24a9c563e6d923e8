/** The page's uploads: a table, and cards where there is no room for one. */

import { Badge, Box, Flex, Stack, Table, Text, useMediaQuery } from "@chakra-ui/react";
import { memo, type CSSProperties } from "react";
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

type Props = { row: Row; now: number };
type AllProps = { rows: Row[]; now: number };

const keyOf = (row: Row): string => JSON.stringify([row.dagId, row.runId, row.taskId, row.mapIndex]);

/** Return how long a task instance took, or takes until now. */
export function tookOf({ started, ended }: Row, now: number): number | null {
  return started === null ? null : Math.max(0, (ended ?? now) - started);
}

/** What a mapped task uploads, in words if there are any. */
export const labelOf = ({ upload, mapLabel, mapIndex }: Row): string =>
  upload.label || mapLabel || (mapIndex >= 0 ? String(mapIndex) : "");

const TWO_LINES: CSSProperties = {
  display: "-webkit-box",
  overflow: "hidden",
  WebkitBoxOrient: "vertical",
  WebkitLineClamp: 2,
};
const SMALL: CSSProperties = { ...TWO_LINES, fontSize: "0.75rem", lineHeight: 1.5 };

/** By itself, so that the rest of a row needn't be drawn again where only the address has changed. */
const UploadLink = ({ row, title }: { row: Row; title: string }) => {
  const [address] = useSearchParams();
  return (
    <HostLink bold to={{ search: `?${withPlace(address, row)}` }}>
      {title}
    </HostLink>
  );
};

const What = ({ row }: { row: Row }) => {
  const label = labelOf(row);
  const title = row.elsewhere ? row.taskId : titleOf(row.upload);
  const task = `${row.dagId} · ${row.taskId}${label && ` [${label}]`}`;
  return (
    <div style={{ maxWidth: "20rem", minWidth: 0 }}>
      <div style={TWO_LINES} title={title}>
        <UploadLink row={row} title={title} />
        {row.upload.validateOnly && (
          <Badge ml={2} size="xs">
            check only
          </Badge>
        )}
        {row.upload.replay && (
          <Badge ml={2} size="xs">
            replay
          </Badge>
        )}
      </div>
      <div style={SMALL} title={task}>
        <HostLink label={`Task ${row.taskId} of DAG ${row.dagId}`} to={taskPath(row)}>
          {task}
        </HostLink>
      </div>
    </div>
  );
};

const Records = ({ row, now }: Props) =>
  row.elsewhere ? (
    <Text color="fg.muted" fontSize="xs">
      kept in the XCom backend, not shown here
    </Text>
  ) : (
    <div style={{ display: "grid", gap: 4 }}>
      <FateBar counts={row.upload.counts} open={isUnfinished(stateOf(row, now))} total={row.upload.total} />
      <CountsLine counts={row.upload.counts} />
    </div>
  );

const Rate = ({ row }: { row: Row }) => {
  const rate = rateOf(row.upload.counts.delivered, row.upload.seconds);
  return <>{rate === null ? "–" : perSecond(rate)}</>;
};

const Took = ({ row, now }: Props) => {
  const took = tookOf(row, now);
  return <>{took === null ? "–" : duration(took)}</>;
};

const HEADERS = ["State", "Upload", "Records", "Rate", "Duration", "Began"] as const;
const WIDTHS: Partial<Record<(typeof HEADERS)[number], string>> = { State: "9.5rem", Records: "40%" };
const NUMBERS = { textAlign: "end", whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" } as const;

const Line = memo(({ row, now }: Props) => (
  <Table.Row data-testid="upload">
    <Table.Cell>
      <StateBadge now={now} row={row} />
    </Table.Cell>
    <Table.Cell minW="12rem">
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
));

const WideUploads = ({ rows, now }: AllProps) => (
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
          <Line key={keyOf(row)} now={now} row={row} />
        ))}
      </Table.Body>
    </Table.Root>
  </Box>
);

const Card = memo(({ row, now }: Props) => (
  <Stack as="li" borderRadius="md" borderWidth={1} data-testid="upload" gap={2} p={3}>
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
));

const NarrowUploads = ({ rows, now }: AllProps) => (
  <Stack aria-label="Uploads, the newest first" as="ul" fontSize="sm" gap={2} listStyleType="none">
    {rows.map((row) => (
      <Card key={keyOf(row)} now={now} row={row} />
    ))}
  </Stack>
);

export const Uploads = (props: AllProps) => {
  const [wide] = useMediaQuery(["(min-width: 64rem)"], { ssr: false });
  return wide ? <WideUploads {...props} /> : <NarrowUploads {...props} />;
};
