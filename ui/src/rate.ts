/** The records delivered a second over time, from how many were delivered when. */

import type { Point } from "./answer.ts";

export type Speed = { seconds: number; perSecond: number };

/** Return the speed between each two points; points that go back in time or in number are left out. */
export function speeds(points: Point[]): Speed[] {
  const found: Speed[] = [];
  let before: Point | undefined;
  for (const point of points) {
    if (before && (point[0] <= before[0] || point[1] < before[1])) continue;
    if (before) found.push({ seconds: point[0], perSecond: (point[1] - before[1]) / (point[0] - before[0]) });
    before = point;
  }
  return found;
}
