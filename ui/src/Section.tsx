/** A part of an upload's page, with its heading. */

import { Box, Heading } from "@chakra-ui/react";
import { useId, type ReactNode } from "react";

type Props = { title: string; children: ReactNode };

export const Section = ({ title, children }: Props) => {
  const id = useId();
  return (
    <Box aria-labelledby={id} as="section" borderRadius="md" borderWidth={1} minW={0} p={3}>
      <Heading as="h2" fontSize="sm" id={id} lineHeight="short" mb={2}>
        {title}
      </Heading>
      {children}
    </Box>
  );
};
