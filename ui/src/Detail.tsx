/** One upload: below the page, and as a task instance's tab. */

import { Badge, Box, Flex, Grid, Heading, HStack, Stack, Text } from "@chakra-ui/react";
import { useSearchParams } from "react-router-dom";

import { readDetail, type Detail as DetailOf, type Place, type Row, type Upload } from "./answer.ts";
import { Attempts } from "./Attempts.tsx";
import { Commands } from "./Commands.tsx";
import { Facts } from "./Facts.tsx";
import { withoutPlace } from "./filters.ts";
import { dagPath, HostLink, PAGE, runPath, taskPath, uploadEndpoint } from "./host.tsx";
import { BackIcon } from "./icons.tsx";
import { News } from "./News.tsx";
import { Notice, ProblemNotice } from "./Notice.tsx";
import { Progress } from "./Progress.tsx";
import { RatePlot } from "./RatePlot.tsx";
import { Reasons } from "./Reasons.tsx";
import { StateBadge } from "./StateBadge.tsx";
import { isUnfinished, stateOf } from "./states.ts";
import { labelOf } from "./Uploads.tsx";
import { useData } from "./useData.ts";
import { useNow } from "./useNow.ts";
import { useTitle } from "./useTitle.ts";
import { titleOf } from "./vendors.ts";

/** What a task writes is seen within three seconds, also where Airflow takes a while to answer. */
const WHILE_UNFINISHED = 2_000;
const WHEN_FINISHED = 30_000;
/** A task that may not have begun, or that is none of ours. */
const WHEN_NONE = 10_000;

function pauseOf(detail: DetailOf | null): number {
  if (!detail) return WHEN_NONE;
  return isUnfinished(stateOf(detail.row, detail.now)) ? WHILE_UNFINISHED : WHEN_FINISHED;
}

type Props = { place: Place; inTab?: boolean };

export const Detail = ({ place, inTab = false }: Props) => {
  const { data, problem, again } = useData(uploadEndpoint(place), readDetail, pauseOf);
  return (
    <Stack gap={3} p={{ base: 2, md: 4 }}>
      {!inTab && <BackLink />}
      {problem && (
        <ProblemNotice again={again} kept={Boolean(data)} problem={problem} right={`to read XComs and the DAG ${place.dagId}`} />
      )}
      {!inTab && <Title place={place} upload={data?.row.upload} />}
      {data && <Found detail={data} inTab={inTab} />}
      {data === null && !problem && (inTab ? <Text color="fg.muted">{NONE}.</Text> : <Missing place={place} />)}
      {data === undefined && !problem && <Text color="fg.muted">Loading the upload…</Text>}
    </Stack>
  );
};

const Title = ({ place, upload }: { place: Place; upload: Upload | undefined }) => {
  useTitle([upload?.vendor && titleOf(upload), place.dagId, place.taskId].filter(Boolean).join(" · "));
  return null;
};

const NONE = "This task uploads nothing with this provider, or has not begun";

/** An address that somebody has kept may lead to a run that Airflow has removed meanwhile. */
const Missing = ({ place }: { place: Place }) => (
  <>
    <Stack gap={1}>
      <Heading as="h1" size="md">
        No upload is here
      </Heading>
      <Where place={place} />
    </Stack>
    <Notice status="info" title={NONE}>
      Or Airflow no longer has what the task said of its upload: that goes with the run, by “airflow db clean”, and when the
      task begins anew. The files of the upload stay: in a shell, “airflow userdata runs” lists the runs that left some.
    </Notice>
  </>
);

const Where = ({ place }: { place: Place }) => (
  <HStack columnGap={4} fontSize="sm" overflowWrap="anywhere" rowGap={0} wrap="wrap">
    <span>DAG {place.dagId}</span>
    <span>Run {place.runId}</span>
    <span>
      Task {place.taskId}
      {place.mapIndex >= 0 && ` [${place.mapIndex}]`}
    </span>
  </HStack>
);

const BackLink = () => {
  const [address] = useSearchParams();
  return (
    <Box fontSize="sm">
      <HostLink to={{ search: `?${withoutPlace(address)}` }}>
        <BackIcon /> All uploads
      </HostLink>
    </Box>
  );
};

const Found = ({ detail, inTab }: { detail: DetailOf; inTab: boolean }) => {
  const { row } = detail;
  const state = stateOf(row, detail.now);
  const now = useNow(detail.now, isUnfinished(state));
  return (
    <>
      <Head inTab={inTab} now={detail.now} row={row} />
      {row.elsewhere ? <Elsewhere /> : <Shown detail={detail} now={now} />}
    </>
  );
};

const Elsewhere = () => (
  <Notice status="info" title="What this task says of its upload is kept in the XCom backend">
    This page reads Airflow&apos;s database alone. The task&apos;s log has its counts, and so has its XCom userdata_upload.
  </Notice>
);

const Shown = ({ detail, now }: { detail: DetailOf; now: number }) => {
  const { row, rules, commands } = detail;
  const state = stateOf(row, detail.now);
  return (
    <>
      <News now={now} row={row} state={state} />
      <Progress state={state} upload={row.upload} />
      <Reasons ended={!isUnfinished(state)} rules={rules} upload={row.upload} />
      <Grid gap={3} templateColumns="repeat(auto-fit, minmax(min(24rem, 100%), 1fr))">
        <Facts now={now} row={row} state={state} />
        <RatePlot upload={row.upload} />
      </Grid>
      <Attempts attempts={row.upload.attempts} now={now} />
      <Commands commands={commands} />
    </>
  );
};

const Head = ({ row, now, inTab }: { row: Row; now: number; inTab: boolean }) => {
  const label = labelOf(row);
  return (
    <Stack gap={1}>
      <Flex align="center" columnGap={3} rowGap={1} wrap="wrap">
        <Heading as="h1" overflowWrap="anywhere" size="md">
          {row.elsewhere ? row.taskId : titleOf(row.upload)}
          {label && ` · ${label}`}
        </Heading>
        <StateBadge now={now} row={row} size="md" />
        {row.upload.validateOnly && <Badge>check only: nothing is sent</Badge>}
        {row.upload.incremental && <Badge>incremental</Badge>}
        {row.upload.replay && <Badge>sends rejects again</Badge>}
      </Flex>
      <HStack columnGap={4} fontSize="sm" rowGap={0} wrap="wrap">
        <span>
          DAG <HostLink to={dagPath(row)}>{row.dagId}</HostLink>
        </span>
        <span>
          Run <HostLink to={runPath(row)}>{row.runId}</HostLink>
        </span>
        {inTab ? (
          <HostLink to={`${PAGE}?${new URLSearchParams({ dag: row.dagId })}`}>All uploads of this DAG</HostLink>
        ) : (
          <span>
            Task <HostLink to={taskPath(row)}>{row.taskId}</HostLink>
          </span>
        )}
      </HStack>
    </Stack>
  );
};
