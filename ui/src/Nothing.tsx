/** What the page says where nothing was uploaded: to whoever is new here, how to begin. */

import { Code, List, Text } from "@chakra-ui/react";

import { FilterBar } from "./FilterBar.tsx";
import { HostLink } from "./host.tsx";
import { Notice } from "./Notice.tsx";
import { Section } from "./Section.tsx";

const DAG = `from airflow.sdk import DAG
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

with DAG("people", default_args={"retries": 3}):
    PtengineProfilesOperator(task_id="upload", source="/data/people.csv")`;
const CHECK = "airflow userdata check /data/people.csv --vendor ptengine";
const SANDBOX = "airflow userdata sandbox";

const Lines = ({ children }: { children: string }) => (
  <Code display="block" my={1} overflowX="auto" px={2} py={2} whiteSpace="pre-wrap">
    {children}
  </Code>
);

export const Nothing = ({ now, days }: { now: number; days: number }) => (
  <>
    <FilterBar filters={{ vendor: "", dag: "", state: "", days }} now={now} otherDags={[]} rows={[]} />
    <Notice status="info" title={days === 1 ? "Nothing was uploaded on the last day" : `Nothing was uploaded in the last ${days} days`}>
      Uploads appear here as soon as a task of this provider runs. Choose more days to see older ones. You see the uploads of
      those DAGs that you may read.
    </Notice>
    <Section title="Your first upload">
      <List.Root as="ol" fontSize="sm" gap={3} ps={5}>
        <List.Item>
          Make a <HostLink to="/connections">connection</HostLink> of the type Thymia, GeroSense or Ptengine with the
          vendor&apos;s key, and call it thymia_default, gerosense_default or ptengine_default. No key yet? <Code>{SANDBOX}</Code> stands in for all three vendors on your machine.
        </List.Item>
        <List.Item>
          See in a shell whether the vendor would take your records; nothing is sent:
          <Lines>{CHECK}</Lines>
        </List.Item>
        <List.Item>
          Put a DAG with ThymiaUploadOperator, GerosenseSamplesOperator or PtengineProfilesOperator into your folder of DAGs, and
          trigger it:
          <Lines>{DAG}</Lines>
        </List.Item>
      </List.Root>
      <Text color="fg.muted" fontSize="xs" mt={2}>
        The upload is then a row of this page, which says how far it is, why records were not delivered, and what to do.
      </Text>
    </Section>
  </>
);
