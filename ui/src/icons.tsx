/** A few signs, drawn as lines in the colour of the text beside them, which says the same. */

import { Icon, type IconProps } from "@chakra-ui/react";

const sign = (path: string) => (props: IconProps) => (
  <Icon asChild boxSize="1em" flexShrink={0} {...props}>
    <svg
      aria-hidden
      fill="none"
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth={2.4}
      viewBox="0 0 24 24"
    >
      <path d={path} />
    </svg>
  </Icon>
);

export const PlayIcon = sign("M7 4l12 8-12 8z");
export const ClockIcon = sign("M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7v5l3.5 2");
export const CheckIcon = sign("M5 12.5l4.5 4.5L19 7.5");
export const AlertIcon = sign("M12 4L2.5 20h19zM12 10v4.5M12 17.2v.1");
export const CrossIcon = sign("M6 6l12 12M18 6L6 18");
export const AgainIcon = sign("M20 11a8 8 0 1 0-2.3 6.7M20 4v7h-7");
export const QuestionIcon = sign("M8.5 8.8a3.6 3.6 0 1 1 5.3 3.1c-1.3.7-1.8 1.3-1.8 2.6M12 18.4v.1");
export const DotIcon = sign("M12 9.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5");
export const BackIcon = sign("M11 6l-6 6 6 6M5 12h14");
export const CopyIcon = sign("M9 9h11v11H9zM5 15H4V4h11v1");
