import type { Command, CommanderError } from 'commander';

/** The command line, or what it points to, makes no sense; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Puts what the parser found wrong into one line that says what is allowed. */
export function usageError(error: CommanderError, command: Command): UsageError {
  const [line = ''] = error.message.replace(/^error: /, '').split('\n');
  switch (error.code) {
    case 'commander.unknownCommand':
      return new UsageError(`${line} (commands: ${commandNames(command)})`);
    case 'commander.unknownOption':
      return new UsageError(`${line} (options: ${optionNames(command)})`);
    case 'commander.missingArgument':
    case 'commander.excessArguments':
      return new UsageError(`${line.replace(/\.$/, '')} (usage: ${usageOf(command)})`);
    default:
      return new UsageError(line);
  }
}

function commandNames({ commands }: Command): string {
  return commands.map((command) => command.name()).join(', ');
}

function optionNames(command: Command): string {
  const { options } = command;
  const shared = command.parent?.options ?? [];
  return [...options, ...shared].map(({ long, short }) => long ?? short).join(', ');
}

function usageOf(command: Command): string {
  const parent = command.parent === null ? '' : `${command.parent.name()} `;
  return `${parent}${command.name()} ${command.usage()}`;
}
