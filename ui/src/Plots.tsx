/** The page's two plots over time: records by fate, and the share of them that was rejected. */

import { Chart, useChart } from "@chakra-ui/charts";
import { Box, Flex, Grid, Heading, Text } from "@chakra-ui/react";
import { memo, useId } from "react";
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis, YAxis } from "recharts";

import { shareOf, type Bucket } from "./buckets.ts";
import { FATES, noCounts, addCounts } from "./fates.ts";
import { Swatch } from "./FateBar.tsx";
import { number, percent, shortNumber } from "./format.ts";
import { HiddenTable } from "./HiddenTable.tsx";

type Series = { name: string; color: string; total: string; of: (bucket: Bucket) => number };

type PlotProps = {
  title: string;
  hint: string;
  buckets: Bucket[];
  series: Series[];
  none: string;
  say: (value: number) => string;
  tick: (value: number) => string;
};

const HEIGHT = "180px";

/** Stacked bars with their numbers: the totals above, each bar's when one points at it, and all for who listens. */
const Plot = ({ title, hint, buckets, series, none, say, tick }: PlotProps) => {
  const id = useId();
  return (
    <Box aria-labelledby={id} as="figure" borderRadius="md" borderWidth={1} data-testid="plot" minW={0} p={3}>
      <Heading as="h2" fontSize="sm" id={id} lineHeight="short">
        {title}
      </Heading>
      <Text color="fg.muted" fontSize="xs">
        {hint}
      </Text>
      <Flex alignContent="start" columnGap={3} fontSize="xs" lineHeight="1.5" minH="3.5em" pt={1} wrap="wrap">
        {series.map(({ name, color, total }) => (
          <Flex align="center" gap={1} key={name} whiteSpace="nowrap">
            <Swatch color={color} />
            {name} <strong>{total}</strong>
          </Flex>
        ))}
      </Flex>
      {buckets.some((bucket) => series.some(({ of }) => of(bucket) > 0)) ? (
        <Bars buckets={buckets} say={say} series={series} tick={tick} title={title} />
      ) : (
        <Flex align="center" color="fg.muted" fontSize="sm" height={HEIGHT} justify="center">
          {none}
        </Flex>
      )}
      <HiddenTable
        caption={title}
        headers={["Time", ...series.map(({ name }) => name)]}
        lines={buckets.map((bucket) => [bucket.label, ...series.map(({ of }) => say(of(bucket)))])}
      />
    </Box>
  );
};

type BarsProps = Pick<PlotProps, "title" | "buckets" | "series" | "say" | "tick">;

const Bars = ({ title, buckets, series, say, tick }: BarsProps) => {
  const data = buckets.map((bucket) => {
    const values = series.map(({ name, of }): [string, string | number] => [name, of(bucket)]);
    return Object.fromEntries([...values, ["label", bucket.label]]);
  });
  const chart = useChart({ data, series: series.map(({ name, color }) => ({ name, color })) });
  const quiet = { axisLine: false, stroke: chart.color("fg.muted"), tickLine: false };
  return (
    <Chart.Root aspectRatio="auto" chart={chart} height={HEIGHT}>
      <BarChart data={chart.data} desc={`${title}, as in the table that follows`} margin={{ left: 0, right: 4, top: 8 }} responsive>
        <CartesianGrid stroke={chart.color("border")} vertical={false} />
        <XAxis {...quiet} dataKey="label" height={20} minTickGap={16} />
        <YAxis {...quiet} tickFormatter={tick} width={54} />
        <Tooltip
          content={<Chart.Tooltip formatter={(value) => say(Number(value))} />}
          cursor={{ fill: chart.color("bg.muted") }}
          isAnimationActive={false}
        />
        {chart.series.map(({ name, color }) => (
          <Bar dataKey={chart.key(name)} fill={chart.color(color)} isAnimationActive={false} key={name} stackId="all" />
        ))}
      </BarChart>
    </Chart.Root>
  );
};

export const Plots = memo(({ buckets, hourly }: { buckets: Bucket[]; hourly: boolean }) => {
  const sum = noCounts();
  buckets.forEach(({ counts }) => addCounts(sum, counts));
  const records = FATES.filter(({ fate }) => sum[fate] || fate === "delivered").map(
    ({ fate, color }): Series => ({ name: fate, color, total: number(sum[fate]), of: ({ counts }) => counts[fate] }),
  );
  const shares = FATES.filter(({ fate }) => fate === "invalid" || fate === "refused").map(
    ({ fate, color }): Series => ({
      name: fate,
      color,
      total: percent(shareOf(sum, fate)),
      of: ({ counts }) => shareOf(counts, fate),
    }),
  );
  const by = hourly ? "by the hour in which the upload began" : "by the day on which the upload began";
  return (
    <Grid gap={3} templateColumns={{ base: "minmax(0, 1fr)", lg: "repeat(2, minmax(0, 1fr))" }}>
      <Plot buckets={buckets} hint={by} none="No records yet." say={number} series={records} tick={shortNumber} title="Records by what became of them" />
      <Plot
        buckets={buckets}
        hint={`of all records tried, ${by}`}
        none="Nothing was rejected."
        say={percent}
        series={shares}
        tick={(share) => `${Number((share * 100).toPrecision(3))}%`}
        title="Share rejected"
      />
    </Grid>
  );
});
