/** What Airflow loads: one component for the page in the menu and for the tab of a task instance. */

import { Box, ChakraProvider, createSystem, defaultConfig, type SystemContext } from "@chakra-ui/react";
import { useSearchParams } from "react-router-dom";

import { Detail } from "./Detail.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { mapIndexOf, placeOf } from "./filters.ts";
import { Page } from "./Page.tsx";

/** Airflow gives them to a tab, as they stand in its address; to the page it gives none. */
type Props = { dagId?: string; runId?: string; taskId?: string; mapIndex?: string };

/** Airflow's own colours and fonts from 3.2 on; before, Chakra's, without the rules for the whole document. */
const airflows = (globalThis as { ChakraUISystem?: SystemContext }).ChakraUISystem;
const system = airflows ?? createSystem(defaultConfig, { preflight: false });

const Shown = ({ dagId, runId, taskId, mapIndex }: Props) => {
  const [address] = useSearchParams();
  const inTab = Boolean(dagId && runId && taskId);
  const place = inTab
    ? { dagId: String(dagId), runId: String(runId), taskId: String(taskId), mapIndex: mapIndexOf(mapIndex) }
    : placeOf(address);
  return place ? <Detail inTab={inTab} key={JSON.stringify(place)} place={place} /> : <Page />;
};

const Root = (props: Props) => (
  <ChakraProvider value={system}>
    <Box height="100%" minW={0} overflowY="auto">
      <ErrorBoundary>
        <Shown {...props} />
      </ErrorBoundary>
    </Box>
  </ChakraProvider>
);

// Airflow looks for each by the name that the plugin gives it, and runs this file only once for both.
Object.assign(globalThis, { "User data": Root, Upload: Root });
