/** The rate over time of one upload. */

import { Chart, useChart } from "@chakra-ui/charts";
import { Text } from "@chakra-ui/react";
import { Area, AreaChart, CartesianGrid, Tooltip, XAxis, YAxis } from "recharts";

import type { Upload } from "./answer.ts";
import { duration, number, perSecond, shortNumber } from "./format.ts";
import { HiddenTable } from "./HiddenTable.tsx";
import { speeds } from "./rate.ts";
import { Section } from "./Section.tsx";

/** With fewer there is no line to look at. */
const FEWEST = 2;
const inTime = (seconds: number): string => duration(seconds * 1000);

export const RatePlot = ({ upload }: { upload: Upload }) => {
  const data = speeds(upload.rate);
  const chart = useChart({ data, series: [{ name: "perSecond", label: "Records a second", color: "green.500" }] });
  if (data.length < FEWEST) return null;
  const most = Math.max(...data.map((speed) => speed.perSecond));
  const least = Math.min(...data.map((speed) => speed.perSecond));
  const range = number(least) === number(most) ? number(most) : `From ${number(least)} to ${number(most)}`;
  const summary = `${range} records delivered a second, by the time since this attempt began`;
  return (
    <Section title="Rate over time">
      <Text color="fg.muted" fontSize="xs">
        {summary}
      </Text>
      <Chart.Root aspectRatio="auto" chart={chart} height="160px" mt={2}>
        <AreaChart data={chart.data} desc={summary} margin={{ left: 0, right: 8, top: 8 }} responsive>
          <CartesianGrid stroke={chart.color("border")} vertical={false} />
          <XAxis
            axisLine={false}
            dataKey="seconds"
            domain={[0, "dataMax"]}
            height={20}
            minTickGap={24}
            stroke={chart.color("fg.muted")}
            tickFormatter={inTime}
            tickLine={false}
            type="number"
          />
          <YAxis axisLine={false} stroke={chart.color("fg.muted")} tickFormatter={shortNumber} tickLine={false} width={48} />
          <Tooltip
            isAnimationActive={false}
            content={<Chart.Tooltip formatter={(value) => perSecond(Number(value))} labelFormatter={(at) => `after ${inTime(Number(at))}`} />}
          />
          <Area
            dataKey={chart.key("perSecond")}
            fill={chart.color("green.500")}
            fillOpacity={0.2}
            isAnimationActive={false}
            stroke={chart.color("green.500")}
            strokeWidth={1.5}
            type="monotone"
          />
        </AreaChart>
      </Chart.Root>
      <HiddenTable
        caption="Records delivered a second"
        headers={["After", "Rate"]}
        lines={data.map((speed) => [inTime(speed.seconds), perSecond(speed.perSecond)])}
      />
    </Section>
  );
};
