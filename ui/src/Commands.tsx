/** The commands for who may act, to copy. */

import { Box, Button, Code, Flex, Heading, Stack, Text } from "@chakra-ui/react";
import { useRef, useState } from "react";

import type { Command } from "./answer.ts";
import { CheckIcon, CopyIcon } from "./icons.tsx";
import { Section } from "./Section.tsx";

/** Those that read the task's files. */
const OURS = "airflow userdata ";

export const Commands = ({ commands }: { commands: Command[] }) =>
  commands.length > 0 && (
    <Section title="Commands">
      <Stack gap={4}>
        {commands.some(({ command }) => command.startsWith(OURS)) && (
          <Text color="fg.muted" fontSize="xs">
            Run “airflow userdata …” where the task&apos;s output_path can be read: on the worker, or on any machine that shares it.
            To send records again, it takes the DAG and the connection there, too.
          </Text>
        )}
        {[...new Set(commands.map(({ part }) => part))].map((part) => (
          <Stack gap={3} key={part}>
            {part && (
              <Heading as="h3" fontSize="sm" fontWeight="semibold" lineHeight="short">
                {part}
              </Heading>
            )}
            {commands
              .filter((command) => command.part === part)
              .map((command) => (
                <OneCommand key={command.command} {...command} />
              ))}
          </Stack>
        ))}
      </Stack>
    </Section>
  );

/** Select a text, for who copies by the keyboard: on plain http browsers have no clipboard. */
function select(element: HTMLElement | null): void {
  if (element) window.getSelection()?.selectAllChildren(element);
}

/** A browser would break `--run-id` behind its dashes. */
const Words = ({ command }: { command: string }) => (
  <>
    {command.split(/(?<= )(--[a-z-]+)/).map((part, index) =>
      part.startsWith("--") ? (
        <Box as="span" key={index} whiteSpace="nowrap">
          {part}
        </Box>
      ) : (
        part
      ),
    )}
  </>
);

const OneCommand = ({ title, when, command }: Command) => {
  const shown = useRef<HTMLElement>(null);
  const [done, setDone] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command);
      setDone("Copied");
    } catch {
      select(shown.current);
      setDone("Selected: copy it with Ctrl+C");
    }
  };
  return (
    <div>
      <Text fontSize="sm">{title}</Text>
      <Text color="fg.muted" fontSize="xs" mb={1}>
        {when}
      </Text>
      <Flex align="start" gap={2}>
        <Code display="block" flex={1} minW={0} overflowWrap="anywhere" px={2} py={2} ref={shown} whiteSpace="pre-wrap">
          <Words command={command} />
        </Code>
        <Button aria-label={`Copy the command: ${title}`} onClick={copy} size="xs" variant="outline">
          {done === "Copied" ? <CheckIcon /> : <CopyIcon />}
          {done === "Copied" ? "Copied" : "Copy"}
        </Button>
      </Flex>
      <Text color="fg.muted" fontSize="xs" role="status">
        {done !== "Copied" && done}
      </Text>
    </div>
  );
};
