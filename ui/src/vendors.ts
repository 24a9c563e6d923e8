/** The vendors' names as they write them. */

import type { Upload } from "./answer.ts";

const NAMES: Record<string, string> = { thymia: "Thymia", gerosense: "GeroSense", ptengine: "Ptengine" };

export const vendorName = (vendor: string): string => NAMES[vendor] ?? (vendor || "unknown vendor");

/** "Thymia · mood": who gets the records, and of what kind they are. */
export const titleOf = ({ vendor, kind }: Upload): string => [vendorName(vendor), kind].filter(Boolean).join(" · ");
