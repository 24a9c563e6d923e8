/**
 * A bar of what became of an upload's records, and the same in numbers.
 *
 * The page has fifty of each, so they are plain elements: Chakra's take ten times as long to draw.
 */

import type { CSSProperties } from "react";

import { FATES, settled, type Counts } from "./fates.ts";
import { number } from "./format.ts";

const cssColor = (token: string): string => `var(--chakra-colors-${token.replace(".", "-")})`;

/** Return the counts that aren't 0 in words: "1,200 delivered, 3 refused". */
export function countsInWords(counts: Counts): string {
  const parts = FATES.filter(({ fate }) => counts[fate]).map(({ fate }) => `${number(counts[fate])} ${fate}`);
  return parts.join(", ") || "no records";
}

const BAR: CSSProperties = {
  background: cssColor("bg.emphasized"),
  borderRadius: 6,
  display: "flex",
  gap: 1,
  overflow: "hidden",
};
const HATCHED = `repeating-linear-gradient(135deg, transparent 0 4px, ${cssColor("bg.muted")} 4px 8px)`;

/** `open`: more is to come, and nobody knows how much. */
type Props = { counts: Counts; total?: number | null; open?: boolean; height?: number };

/** The bar; what is left of the source, where its size is known, is the empty part. */
export const FateBar = ({ counts, total = null, open = false, height = 8 }: Props) => {
  const left = Math.max(0, (total ?? 0) - settled(counts));
  return (
    <div aria-label={countsInWords(counts)} role="img" style={{ ...BAR, height }}>
      {FATES.filter(({ fate }) => counts[fate]).map(({ fate, color }) => (
        <span key={fate} style={{ background: cssColor(color), flex: `${counts[fate]} 0 0`, minWidth: 3 }} />
      ))}
      {left > 0 && <span style={{ flex: `${left} 0 0` }} />}
      {open && total === null && <span style={{ background: HATCHED, flex: "0 0 12%" }} />}
    </div>
  );
};

const SWATCH: CSSProperties = { borderRadius: 2, display: "inline-block", flexShrink: 0, height: "0.7em", width: "0.7em" };

export const Swatch = ({ color }: { color: string }) => (
  <span aria-hidden style={{ ...SWATCH, background: cssColor(color) }} />
);

const LINE: CSSProperties = { columnGap: 12, display: "flex", flexWrap: "wrap", fontSize: "0.75rem", lineHeight: 1.4 };
const COUNT: CSSProperties = { alignItems: "center", display: "inline-flex", gap: 4, whiteSpace: "nowrap" };

/** The counts that aren't 0, each with the colour that it has in the bar. */
export const CountsLine = ({ counts }: { counts: Counts }) => (
  <div style={LINE}>
    {FATES.filter(({ fate }) => counts[fate]).map(({ fate, color }) => (
      <span key={fate} style={COUNT}>
        <Swatch color={color} />
        {number(counts[fate])} {fate}
      </span>
    ))}
    {settled(counts) === 0 && <span style={{ color: cssColor("fg.muted") }}>no records</span>}
  </div>
);
