/** The page "User data": the recent uploads of all DAGs that the viewer may read. */

import { Box, Button, Flex, Heading, Stack, Text } from "@chakra-ui/react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router-dom";

import { readList, type List } from "./answer.ts";
import { buckets, oldestOf } from "./buckets.ts";
import { FilterBar } from "./FilterBar.tsx";
import { filtersOf, isFiltered, matches, type Filters } from "./filters.ts";
import { amount, clock, number } from "./format.ts";
import { listEndpoint } from "./host.tsx";
import { Nothing } from "./Nothing.tsx";
import { Notice, ProblemNotice } from "./Notice.tsx";
import { Plots } from "./Plots.tsx";
import { stateOf } from "./states.ts";
import { Uploads } from "./Uploads.tsx";
import { useData, type Fetched } from "./useData.ts";
import { useTitle } from "./useTitle.ts";

const PAUSE = 10_000;
const AT_FIRST = 50;

/**
 * Return the uploads, and whether those of the chosen DAG are still on their way: they are asked for where the newest
 * uploads of all DAGs are too many, such as those of a task that is mapped over thousands of files.
 */
function useList({ days, dag }: Filters): Fetched<List> & { coming: boolean } {
  const all = useData(listEndpoint(days), readList, () => PAUSE);
  const asked = Boolean(all.data?.more && dag);
  const own = useData(asked ? listEndpoint(days, dag) : null, readList, () => PAUSE);
  if (!asked) return { ...all, coming: false };
  return { ...own, data: own.data ?? all.data, coming: !own.data && !own.problem };
}

export const Page = () => {
  const [address] = useSearchParams();
  const filters = filtersOf(address);
  useTitle("User data");
  const { data, problem, again, coming } = useList(filters);
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
      {data ? <Found coming={coming} list={data} /> : !problem && <Text color="fg.muted">Loading the uploads…</Text>}
    </Stack>
  );
};

const Found = ({ list, coming }: { list: List; coming: boolean }) => {
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
  if (!list.rows.length && !list.more && !isFiltered(filters)) return <Nothing days={filters.days} now={list.now} />;
  return (
    <>
      <FilterBar filters={filters} now={list.now} otherDags={list.dags} rows={list.rows} />
      <Text data-testid="count" fontSize="sm" role="status">
        {amount(shown.length, "upload")}
        {running > 0 && `, ${number(running)} of them under way`}
        {list.more && `. Only the newest ${number(list.rows.length)} are here: choose ${filters.dag ? "" : "a DAG or "}fewer days to see others.`}
      </Text>
      {shown.length > 0 && <Plots buckets={made} hourly={filters.days <= 1} />}
      {shown.length > 0 ? (
        <Uploads now={list.now} rows={shown.slice(0, most)} />
      ) : coming ? (
        <Text color="fg.muted">Loading the uploads…</Text>
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
