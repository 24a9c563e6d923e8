/** A plot's numbers as a table, for who listens to the page. */

import { VisuallyHidden } from "@chakra-ui/react";

type Props = { caption: string; headers: string[]; lines: string[][] };

export const HiddenTable = ({ caption, headers, lines }: Props) => (
  <VisuallyHidden>
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {headers.map((header) => (
            <th key={header} scope="col">
              {header}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map(([first, ...others], line) => (
          <tr key={line}>
            <th scope="row">{first}</th>
            {others.map((cell, column) => (
              <td key={column}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </VisuallyHidden>
);
