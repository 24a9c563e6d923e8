/** What Airflow loads: one component for the page in the menu and for the tab of a task instance. */

import { Box, ChakraProvider, createSystem, defaultConfig, type SystemContext } from "@chakra-ui/react";
import { useSearchParams } from "react-router-dom";

import type { Place } from "./answer.ts";
import { Detail } from "./Detail.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { mapIndexOf, placeOf } from "./filters.ts";
import { Page } from "./Page.tsx";

/** Airflow gives them to a tab, as they stand in its address; to the page it gives none. */
type Props = { dagId?: string; runId?: string; taskId?: string; mapIndex?: string };

/** Airflow's own colours and fonts from 3.2 on; before, Chakra's, without the rules for the whole document. */
const airflows = (globalThis as { ChakraUISystem?: SystemContext }).ChakraUISystem;
const system = airflows ?? createSystem(defaultConfig, { preflight: false });

const ofTab = ({ dagId, runId, taskId, mapIndex }: Props): Place | null =>
  dagId && runId && taskId ? { dagId, runId, taskId, mapIndex: mapIndexOf(mapIndex) } : null;

const Shown = ({ tab }: { tab: Place | null }) => {
  const [address] = useSearchParams();
  const place = tab ?? placeOf(address);
  return place ? <Detail inTab={tab !== null} key={JSON.stringify(place)} place={place} /> : <Page />;
};

/** The page scrolls by itself; a tab lies in a part of Airflow's page that does. */
const Root = (props: Props) => {
  const tab = ofTab(props);
  return (
    <ChakraProvider value={system}>
      <Box minW={0} {...(tab ? {} : { height: "100%", overflowY: "auto" })}>
        <ErrorBoundary>
          <Shown tab={tab} />
        </ErrorBoundary>
      </Box>
    </ChakraProvider>
  );
};

// Airflow looks for each by the name that the plugin gives it, and runs this file only once for both.
Object.assign(globalThis, { "User data": Root, Upload: Root });
