/** What a reader must know before the rest: a problem, or why there is nothing to see. */

import { Alert, Button, Link } from "@chakra-ui/react";
import type { ReactNode } from "react";

import { loginAddress } from "./host.tsx";
import type { Problem } from "./useData.ts";

/** `silent`: a screen reader hears of it in other words. */
type NoticeProps = { status: "info" | "warning" | "error"; title: ReactNode; silent?: boolean; children?: ReactNode };

export const Notice = ({ status, title, silent = false, children }: NoticeProps) => (
  <Alert.Root role={silent ? undefined : "status"} size="sm" status={status}>
    <Alert.Indicator />
    <Alert.Content>
      <Alert.Title fontWeight="semibold">{title}</Alert.Title>
      {children && <Alert.Description>{children}</Alert.Description>}
    </Alert.Content>
  </Alert.Root>
);

type ProblemProps = { problem: Problem; right: string; kept: boolean; again: () => void };

/**
 * Why there is nothing new.
 *
 * @param right what one needs to see this, in words.
 * @param kept whether there is something from before below it.
 */
export const ProblemNotice = ({ problem, right, kept, again }: ProblemProps) => {
  const before = kept ? " What is below was there before." : "";
  if (problem.kind === "session")
    return (
      <Notice status="warning" title="Your session has ended: log in again">
        <Link href={loginAddress()} variant="underline">
          Log in
        </Link>
        {` and come back to this page.${before}`}
      </Notice>
    );
  if (problem.kind === "forbidden")
    return (
      <Notice status="warning" title="You may not see this">
        {`It takes the right ${right}. Ask whoever gives out rights in this Airflow.`}
      </Notice>
    );
  return (
    <Notice status="error" title={problem.status ? `Airflow answered ${problem.status}` : "Airflow does not answer"}>
      {`It is asked again in ten seconds.${before} `}
      <Button onClick={again} size="2xs" variant="outline">
        Ask now
      </Button>
    </Notice>
  );
};
