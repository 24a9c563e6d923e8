/** The page's two plots over time: records by fate, and the share of them that was rejected. */

import { Chart, useChart } from "@chakra-ui/charts";
import { Box, Flex, Grid, Heading, Text, VisuallyHidden } from "@chakra-ui/react";
import { useId } from "react";
import { Bar, BarChart, CartesianGrid, Tooltip, XAxis, YAxis } from "recharts";

import { shareOf, type Bucket } from "./buckets.ts";
import { FATES, noCounts, addCounts } from "./fates.ts";
import { Swatch } from "./FateBar.tsx";
import { number, percent, shortNumber } from "./format.ts";

type Series = { name: string; color: string; total: string; of: (bucket: Bucket) => number };

type PlotProps = {
  title: string;
  hint: string;
  buckets: Bucket[];
  series: Series[];
  say: (value: number) => string;
  tick: (value: number) => string;
};

/** Stacked bars with their numbers: the totals above, each bar's when one points at it, all in a table for who listens. */
const Plot = ({ title, hint, buckets, series, say, tick }: PlotProps) => {
  const id = useId();
  const data = buckets.map((bucket) =>
    Object.fromEntries<string | number>([["label", bucket.label], ...series.map((one) => [one.name, one.of(bucket)] as const)]),
  );
  const chart = useChart({ data, series: series.map(({ name, color }) => ({ name, color })) });
  return (
    <Box aria-labelledby={id} as="figure" borderRadius="md" borderWidth={1} data-testid="plot" minW={0} p={3}>
      <Heading as="h2" fontSize="sm" id={id} lineHeight="short">
        {title}
      </Heading>
      <Text color="fg.muted" fontSize="xs">
        {hint}
      </Text>
      <Flex columnGap={3} fontSize="xs" lineHeight="1.5" minH="3em" pt={1} wrap="wrap">
        {series.map(({ name, color, total }) => (
          <Flex align="center" gap={1} key={name} whiteSpace="nowrap">
            <Swatch color={color} />
            {name} <strong>{total}</strong>
          </Flex>
        ))}
      </Flex>
      <Chart.Root aspectRatio="auto" chart={chart} height="180px" mt={1}>
        <BarChart data={chart.data} desc={`${title}: the table below has the numbers`} margin={{ left: 0, right: 4, top: 8 }} responsive>
          <CartesianGrid stroke={chart.color("border")} vertical={false} />
          <XAxis axisLine={false} dataKey="label" height={20} minTickGap={16} stroke={chart.color("fg.muted")} tickLine={false} />
          <YAxis axisLine={false} stroke={chart.color("fg.muted")} tickFormatter={tick} tickLine={false} width={48} />
          <Tooltip content={<Chart.Tooltip formatter={(value) => say(Number(value))} />} cursor={{ fill: chart.color("bg.muted") }} />
          {chart.series.map((one) => (
            <Bar dataKey={chart.key(one.name)} fill={chart.color(one.color)} isAnimationActive={false} key={one.name} stackId="all" />
          ))}
        </BarChart>
      </Chart.Root>
      <VisuallyHidden>
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {series.map(({ name }) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {buckets.map((bucket) => (
              <tr key={bucket.start}>
                <th scope="row">{bucket.label}</th>
                {series.map(({ name, of }) => (
                  <td key={name}>{say(of(bucket))}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </Box>
  );
};

export const Plots = ({ buckets, hourly }: { buckets: Bucket[]; hourly: boolean }) => {
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
      <Plot buckets={buckets} hint={by} say={number} series={records} tick={shortNumber} title="Records by what became of them" />
      <Plot
        buckets={buckets}
        hint={`of all records tried, ${by}`}
        say={percent}
        series={shares}
        tick={(share) => `${Number((share * 100).toPrecision(3))}%`}
        title="Share rejected"
      />
    </Grid>
  );
};
