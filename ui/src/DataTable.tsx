/** A small table with real headers. */

import { Table } from "@chakra-ui/react";
import type { ReactNode } from "react";

export type Column = { name: string; numeric?: boolean; width?: string };
export type Line = { key: string; cells: ReactNode[] };

type Props = { label: string; columns: Column[]; lines: Line[] };

/** The first cell of a line is its header. */
export const DataTable = ({ label, columns, lines }: Props) => (
  <Table.ScrollArea>
    <Table.Root aria-label={label} size="sm">
      <Table.Header>
        <Table.Row bg="transparent">
          {columns.map(({ name, numeric, width }) => (
            <Table.ColumnHeader key={name} pe={4} ps={0} scope="col" textAlign={numeric ? "end" : undefined} width={width}>
              {name}
            </Table.ColumnHeader>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {lines.map(({ key, cells }) => (
          <Table.Row bg="transparent" key={key}>
            {cells.map((cell, index) => {
              const { name, numeric } = columns[index] ?? { name: String(index) };
              const look = numeric ? ({ textAlign: "end", fontVariantNumeric: "tabular-nums" } as const) : {};
              return index ? (
                <Table.Cell key={name} pe={4} ps={0} verticalAlign="top" {...look}>
                  {cell}
                </Table.Cell>
              ) : (
                <Table.Cell asChild fontWeight="normal" key={name} pe={4} ps={0} verticalAlign="top" {...look}>
                  <th scope="row">{cell}</th>
                </Table.Cell>
              );
            })}
          </Table.Row>
        ))}
      </Table.Body>
    </Table.Root>
  </Table.ScrollArea>
);
