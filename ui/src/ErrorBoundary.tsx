/** Keeps a fault of this page from taking Airflow's page with it. */

import { Component, type ReactNode } from "react";

import { Notice } from "./Notice.tsx";

type Props = { children: ReactNode };

export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <Notice status="error" title="This page has a fault and can't be shown">
        Your uploads are not affected. Reload the page; the task's log has the same numbers.
      </Notice>
    );
  }
}
