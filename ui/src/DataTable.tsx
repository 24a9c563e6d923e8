/** A small table with real headers. */

import { Box, Table } from "@chakra-ui/react";
import type { ReactNode } from "react";

/** `wideOnly`: left out on a phone. */
export type Column = { name: string; numeric?: boolean; width?: string; wideOnly?: boolean };
export type Line = { key: string; cells: ReactNode[] };

type Props = { label: string; columns: Column[]; lines: Line[] };

/** The first cell of a line is its header. */
export const DataTable = ({ label, columns, lines }: Props) => (
  <Box overflowX="auto">
    <Table.Root aria-label={label} size="sm">
      <Table.Header>
        <Table.Row bg="transparent">
          {columns.map(({ name, numeric, width, wideOnly }) => (
            <Table.ColumnHeader hideBelow={wideOnly ? "md" : undefined} key={name} pe={{ base: 2, md: 4 }} ps={0} scope="col" textAlign={numeric ? "end" : undefined} width={width}>
              {name}
            </Table.ColumnHeader>
          ))}
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {lines.map(({ key, cells }) => (
          <Table.Row bg="transparent" key={key}>
            {cells.map((cell, index) => {
              const { name, numeric, wideOnly } = columns[index] ?? { name: String(index) };
              const look = numeric ? ({ textAlign: "end", fontVariantNumeric: "tabular-nums" } as const) : {};
              return index ? (
                <Table.Cell hideBelow={wideOnly ? "md" : undefined} key={name} pe={{ base: 2, md: 4 }} ps={0} verticalAlign="top" {...look}>
                  {cell}
                </Table.Cell>
              ) : (
                <Table.Cell asChild fontWeight="normal" key={name} pe={{ base: 2, md: 4 }} ps={0} verticalAlign="top" {...look}>
                  <th scope="row">{cell}</th>
                </Table.Cell>
              );
            })}
          </Table.Row>
        ))}
      </Table.Body>
    </Table.Root>
  </Box>
);
