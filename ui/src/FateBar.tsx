/** A bar of what became of an upload's records, and the same in numbers. */

import { Box, Flex, Text } from "@chakra-ui/react";

import { FATES, settled, type Counts } from "./fates.ts";
import { number } from "./format.ts";

/** Return the counts that aren't 0 in words: "1,200 delivered, 3 refused". */
export function countsInWords(counts: Counts): string {
  const parts = FATES.filter(({ fate }) => counts[fate]).map(({ fate }) => `${number(counts[fate])} ${fate}`);
  return parts.join(", ") || "no records yet";
}

/** `open`: more is to come, and nobody knows how much. */
type Props = { counts: Counts; total?: number | null; open?: boolean; height?: string };

const HATCHED = "repeating-linear-gradient(135deg, transparent 0 4px, var(--chakra-colors-bg-muted) 4px 8px)";

/** The bar; what is left of the source, where its size is known, is the empty part. */
export const FateBar = ({ counts, total = null, open = false, height = "2" }: Props) => {
  const left = Math.max(0, (total ?? 0) - settled(counts));
  return (
    <Flex
      aria-label={countsInWords(counts)}
      bg="bg.emphasized"
      borderRadius="full"
      gap="1px"
      height={height}
      overflow="hidden"
      role="img"
    >
      {FATES.filter(({ fate }) => counts[fate]).map(({ fate, color }) => (
        <Box bg={color} flexBasis={0} flexGrow={counts[fate]} key={fate} minW="3px" />
      ))}
      {open && total === null && <Box backgroundImage={HATCHED} flexBasis="12%" flexShrink={0} />}
      {left > 0 && <Box flexBasis={0} flexGrow={left} />}
    </Flex>
  );
};

export const Swatch = ({ color }: { color: string }) => (
  <Box aria-hidden as="span" bg={color} borderRadius="2px" boxSize="0.7em" display="inline-block" flexShrink={0} />
);

/** The counts that aren't 0, each with the colour that it has in the bar. */
export const CountsLine = ({ counts }: { counts: Counts }) => (
  <Flex columnGap={3} fontSize="xs" wrap="wrap">
    {FATES.filter(({ fate }) => counts[fate]).map(({ fate, color }) => (
      <Flex align="center" as="span" gap={1} key={fate} whiteSpace="nowrap">
        <Swatch color={color} />
        {number(counts[fate])} {fate}
      </Flex>
    ))}
    {settled(counts) === 0 && <Text color="fg.muted">no records yet</Text>}
  </Flex>
);
