/** A time as people say it, and exactly when one points at it. */

import { relative, stamp, zone } from "./format.ts";

type Props = { at: number | null; now: number };

export const Moment = ({ at, now }: Props) =>
  at === null ? (
    <>unknown</>
  ) : (
    <time dateTime={new Date(at).toISOString()} style={{ whiteSpace: "nowrap" }} title={`${stamp(at)} ${zone(at)}`}>
      {relative(at, now)}
    </time>
  );
