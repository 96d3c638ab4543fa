import type { V1Container } from '@kubernetes/client-node';

import { expand } from './expansion.js';
import type { Image } from './images.js';

/** What is started for a container, and where. */
export type CommandLine = { readonly argv: readonly string[]; readonly workdir: string };

/**
 * The command line of a container: its `command` replaces the image's entrypoint and drops the image's
 * cmd, its `args` replace cmd, its `workingDir` the image's; `$(NAME)` is expanded in command and args.
 */
export function commandLine(
  image: Image,
  container: Pick<V1Container, 'command' | 'args' | 'workingDir'>,
  environment: Readonly<Record<string, string>>,
): CommandLine {
  const command = container.command ?? [];
  const args = container.args ?? [];
  const imageCmd = command.length > 0 ? [] : image.cmd;
  const written = (text: string): string => expand(text, environment);
  return {
    argv: [
      ...(command.length > 0 ? command.map(written) : image.entrypoint),
      ...(args.length > 0 ? args.map(written) : imageCmd),
    ],
    workdir: container.workingDir ?? image.workdir,
  };
}
