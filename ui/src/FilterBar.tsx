/** The page's filters. Each change is a step in the browser's history. */

import { Button, Flex, NativeSelect, Text } from "@chakra-ui/react";
import { useEffect, useId, useMemo, useRef } from "react";
import { useSearchParams } from "react-router-dom";

import type { Row } from "./answer.ts";
import { DAYS, isFiltered, withFilter, withoutFilters, type Filters } from "./filters.ts";
import { stateOf, STATES, type State } from "./states.ts";
import { vendorName } from "./vendors.ts";

type Option = [value: string, name: string];

type SelectProps = {
  label: string;
  value: string;
  options: Option[];
  all?: string;
  onChange: (value: string) => void;
};

/** The filter that was changed last, and when: Airflow makes the page anew then, and it should keep the focus. */
let changed = { label: "", at: 0 };

const Select = ({ label, value, options, all, onChange }: SelectProps) => {
  const id = useId();
  const field = useRef<HTMLSelectElement>(null);
  useEffect(() => {
    if (changed.label === label && Date.now() - changed.at < 3_000) field.current?.focus({ preventScroll: true });
  }, [label]);
  const choose = (chosen: string) => {
    changed = { label, at: Date.now() };
    onChange(chosen);
  };
  return (
    <Flex direction="column" flex={{ base: "1 1 40%", md: "0 0 auto" }} gap={1} minW="8rem">
      <Text asChild color="fg.muted" fontSize="xs">
        <label htmlFor={id}>{label}</label>
      </Text>
      <NativeSelect.Root maxW={{ md: "18rem" }} size="sm">
        <NativeSelect.Field id={id} onChange={(event) => choose(event.target.value)} ref={field} value={value}>
          {all && <option value="">{all}</option>}
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </Flex>
  );
};

/** Return what there is to choose, and what is chosen now even if nothing has it any more. */
function choices(found: string[], chosen: string, nameOf: (value: string) => string): Option[] {
  const values = new Set(found.concat(chosen).filter(Boolean));
  return [...values].map((value): Option => [value, nameOf(value)]).sort((one, other) => one[1].localeCompare(other[1]));
}

const browserAddress = (): URLSearchParams => new URLSearchParams(window.location.search);
const stateName = (state: string): string => STATES[state as State] ?? state;
const daysName = (days: number): string => (days === 1 ? "Last day" : `Last ${days} days`);

/** `otherDags`: those that have uploads, whether or not they are in `rows`. */
type Props = { rows: Row[]; otherDags: string[]; filters: Filters; now: number };

export const FilterBar = ({ rows, otherDags, filters, now }: Props) => {
  const [, setAddress] = useSearchParams();
  // From the browser's address: this may not have been drawn yet since the last change.
  const set = (name: keyof Filters) => (value: string) => setAddress(withFilter(browserAddress(), name, value));
  const vendors = useMemo(() => rows.map((row) => row.upload.vendor), [rows]);
  const dags = useMemo(() => rows.map((row) => row.dagId).concat(otherDags), [rows, otherDags]);
  const states = useMemo(() => rows.map((row) => stateOf(row, now)), [rows, now]);
  return (
    <Flex align="end" aria-label="Filters" gap={3} role="group" wrap="wrap">
      <Select
        all="All vendors"
        label="Vendor"
        onChange={set("vendor")}
        options={choices(vendors, filters.vendor, vendorName)}
        value={filters.vendor}
      />
      <Select
        all="All DAGs"
        label="DAG"
        onChange={set("dag")}
        options={choices(dags, filters.dag, (dag) => dag)}
        value={filters.dag}
      />
      <Select
        all="All states"
        label="State"
        onChange={set("state")}
        options={choices(states, filters.state, stateName)}
        value={filters.state}
      />
      <Select
        label="Time"
        onChange={set("days")}
        options={DAYS.map((days): Option => [String(days), daysName(days)])}
        value={String(filters.days)}
      />
      {isFiltered(filters) && (
        <Button onClick={() => setAddress(withoutFilters(browserAddress()))} size="sm" variant="ghost">
          Clear filters
        </Button>
      )}
    </Flex>
  );
};
