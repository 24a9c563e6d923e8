/** Airflow around this bundle: its address, its router, and the addresses of its own pages. */

import { Link } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { Link as RouterLink } from "react-router-dom";

import type { Place } from "./answer.ts";

/** Where Airflow is mounted, such as `/airflow`; an empty text at the root. */
export function basePath(): string {
  const address = document.querySelector("head > base")?.getAttribute("href") ?? "/";
  return new URL(address, location.origin).pathname.replace(/\/+$/, "");
}

const part = encodeURIComponent;

/** The page of this plugin. Addresses of pages are below the router's own base. */
export const PAGE = "/plugin/userdata";
export const dagPath = ({ dagId }: Place): string => `/dags/${part(dagId)}`;
export const runPath = (place: Place): string => `${dagPath(place)}/runs/${part(place.runId)}`;

export function taskPath(place: Place): string {
  const mapped = place.mapIndex >= 0 ? `/mapped/${place.mapIndex}` : "";
  return `${runPath(place)}/tasks/${part(place.taskId)}${mapped}`;
}

/** Where one logs in and then comes back to this page. */
export const loginAddress = (): string => `${basePath()}/api/v2/auth/login?next=${part(location.href)}`;

/** `dag`: only the uploads of this one. */
export const listEndpoint = (days: number, dag = ""): string =>
  `${basePath()}/userdata/api/uploads?days=${days}&limit=500${dag && `&dag=${part(dag)}`}`;
export const uploadEndpoint = ({ dagId, runId, taskId, mapIndex }: Place): string =>
  `${basePath()}/userdata/api/uploads/${part(dagId)}/${part(runId)}/${part(taskId)}/${mapIndex}`;

type HostLinkProps = { to: string | { search: string }; bold?: boolean; label?: string; children: ReactNode };

/** A link within Airflow, which doesn't load Airflow anew. */
export const HostLink = ({ to, bold, label, children }: HostLinkProps) => (
  <Link asChild color="fg.info" display="inline" fontWeight={bold ? "semibold" : undefined} overflowWrap="anywhere">
    <RouterLink aria-label={label} to={to}>
      {children}
    </RouterLink>
  </Link>
);
