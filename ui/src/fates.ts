/** What becomes of a record: the words, their colours and what they mean. */

export const FATES = [
  { fate: "delivered", color: "green.500", means: "accepted by the vendor" },
  { fate: "unchanged", color: "gray.400", means: "delivered by an earlier run, so not sent again" },
  { fate: "valid", color: "teal.500", means: "checked only (validate_only): it could be sent" },
  { fate: "held", color: "blue.500", means: "valid, but cannot go yet; sent first in the task's next run" },
  { fate: "invalid", color: "orange.400", means: "failed the check, so never sent" },
  { fate: "refused", color: "red.600", means: "sent, and refused by the vendor" },
  { fate: "unknown", color: "purple.500", means: "sent, with no proof that it was accepted" },
] as const;

export type Fate = (typeof FATES)[number]["fate"];
export type Counts = Record<Fate, number>;

export const noCounts = (): Counts =>
  ({ delivered: 0, unchanged: 0, valid: 0, held: 0, invalid: 0, refused: 0, unknown: 0 });

/** Return how many records have a fate. */
export const settled = (counts: Counts): number => FATES.reduce((sum, { fate }) => sum + counts[fate], 0);

/** Return how many records need somebody to look at them: not those that the next run sends by itself. */
export const notDelivered = (counts: Counts): number => counts.invalid + counts.refused + counts.unknown;

/** Return how many records this run tried to deliver: not those that an earlier one had delivered, or only checked. */
export const tried = (counts: Counts): number => settled(counts) - counts.unchanged - counts.valid;

/** Add one upload's counts to a sum. */
export function addCounts(sum: Counts, counts: Counts): void {
  for (const { fate } of FATES) sum[fate] += counts[fate];
}

/** Return how much of the source has a fate, from 0 to 1; null if the source's size is unknown. */
export function shareSettled(counts: Counts, total: number | null): number | null {
  return total ? Math.min(1, settled(counts) / total) : null;
}
