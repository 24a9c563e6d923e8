/** The page "User data": the recent uploads of all DAGs that the viewer may read. */

import { Box, Button, Flex, Heading, Stack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router-dom";

import { readList, type List } from "./answer.ts";
import { buckets, oldestOf } from "./buckets.ts";
import { FilterBar } from "./FilterBar.tsx";
import { filtersOf, isFiltered, matches } from "./filters.ts";
import { amount, clock, number } from "./format.ts";
import { listEndpoint } from "./host.tsx";
import { Notice, ProblemNotice } from "./Notice.tsx";
import { Plots } from "./Plots.tsx";
import { stateOf } from "./states.ts";
import { Uploads } from "./Uploads.tsx";
import { useData } from "./useData.ts";

const PAUSE = 10_000;
const AT_FIRST = 50;

export const Page = () => {
  const [address] = useSearchParams();
  const filters = filtersOf(address);
  const { data, problem, again } = useData(listEndpoint(filters.days), readList, () => PAUSE);
  return (
    <Stack gap={4} p={{ base: 2, md: 4 }}>
      <Flex align="baseline" gap={3} justify="space-between" wrap="wrap">
        <Heading as="h1" size="lg">
          User data
        </Heading>
        {data && (
          <Text color="fg.muted" fontSize="xs">
            as of {clock(data.now)}
          </Text>
        )}
      </Flex>
      {problem && (
        <ProblemNotice again={again} kept={data !== undefined} problem={problem} right="to read XComs and task instances" />
      )}
      {data ? <Found list={data} /> : !problem && <Text color="fg.muted">Loading the uploads…</Text>}
    </Stack>
  );
};

const Found = ({ list }: { list: List }) => {
  const [address] = useSearchParams();
  const query = address.toString();
  const [most, setMost] = useState(AT_FIRST);
  const filters = useMemo(() => filtersOf(new URLSearchParams(query)), [query]);
  const shown = useMemo(() => list.rows.filter((row) => matches(row, filters, list.now)), [list, filters]);
  const made = useMemo(
    () => buckets(shown, filters.days, list.now, list.more ? oldestOf(list.rows, list.now) : null),
    [shown, filters.days, list],
  );
  const running = shown.filter((row) => ["running", "waiting"].includes(stateOf(row, list.now))).length;
  if (!list.rows.length && !isFiltered(filters)) return <Nothing now={list.now} days={filters.days} />;
  return (
    <>
      <FilterBar filters={filters} now={list.now} rows={list.rows} />
      <Text data-testid="count" fontSize="sm" role="status">
        {amount(shown.length, "upload")}
        {running > 0 && `, ${number(running)} of them under way`}
        {list.more && `. Only the newest ${number(list.rows.length)} are here: choose fewer days to see all of them.`}
      </Text>
      {shown.length > 0 && <Plots buckets={made} hourly={filters.days <= 1} />}
      {shown.length > 0 ? (
        <Uploads now={list.now} rows={shown.slice(0, most)} />
      ) : (
        <Notice status="info" title="No upload fits these filters">
          Clear a filter, or choose more days.
        </Notice>
      )}
      {most < shown.length && (
        <Box>
          <Button onClick={() => setMost(most + AT_FIRST)} size="sm" variant="outline">
            Show more ({number(shown.length - most)} left)
          </Button>
        </Box>
      )}
    </>
  );
};

const Nothing = ({ now, days }: { now: number; days: number }) => (
  <>
    <FilterBar filters={{ vendor: "", dag: "", state: "", days }} now={now} rows={[]} />
    <Notice status="info" title={days === 1 ? "Nothing was uploaded on the last day" : `Nothing was uploaded in the last ${days} days`}>
      Uploads appear here as soon as a task with one of this provider&apos;s operators runs: ThymiaUploadOperator,
      GerosenseSamplesOperator or PtengineProfilesOperator. Trigger such a DAG, or choose more days. You see the uploads
      of those DAGs that you may read.
    </Notice>
  </>
);
