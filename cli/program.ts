import { Command, CommanderError, Option } from 'commander';

import type { CanaryName } from '../api/client.js';
import { SluiceError } from '../api/sluice-error.js';
import type { OrderName } from '../domain/steering.js';
import {
  addImage,
  parseCanary,
  parseCount,
  parseName,
  parseRevision,
  parseTimeout,
  wantsJson,
} from './arguments.js';
import * as commands from './commands.js';
import type { Desk, ListFlags, OrderFlags, ReleaseFlags } from './commands.js';
import { exitCodes } from './exit-codes.js';
import { outputTo, type Output, type Streams } from './output.js';
import type { ErrorShape } from './shapes.js';
import { UsageError, usageError } from './usage.js';
import { watch } from './watch.js';

/** The options every command takes. */
interface SharedFlags {
  readonly output: Output['format'];
  readonly cluster?: string;
  readonly profile?: string;
  readonly actor?: string;
}

/** What is done with a command's flags; the number is the exit code. */
type Work = (desk: Desk) => Promise<number>;
/** Carries out a command's work once the words were understood. */
type Carrier = (command: Command, work: Work) => Promise<void>;
type CanaryWork<F> = (desk: Desk, canary: CanaryName, flags: F) => Promise<number>;

const orders: readonly (readonly [OrderName, string])[] = [
  ['promote', 'Skip the rest of the analysis and promote'],
  ['rollback', 'Send all traffic back to the primary and end the release'],
  ['pause', 'Hold the release where it is'],
  ['resume', 'End a pause'],
  ['retry', 'Start the analysis again, or release again what was rolled back'],
  ['approve', 'Open the gate that waits'],
  ['reject', 'Refuse the gate that waits'],
];

const epilogue = `
Exit codes: 0 done; promoted  1 error  2 rolled back or failed  3 timed out  4 superseded
Environment: SLUICE_CLUSTER, SLUICE_ACTOR, and Temporal's own TEMPORAL_ADDRESS,
TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_..., TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE`;

/** Runs the command the words ask for and returns its exit code; an error becomes one line. */
export async function run(argv: readonly string[], streams: Streams): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const carry: Carrier = async (command, work) => {
    exitCode = await atDesk(command, streams, work);
  };
  try {
    await sluice(streams, carry).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.error;
    }
    return fail(error, streams, wantsJson(argv));
  }
}

function sluice(streams: Streams, carry: Carrier): Command {
  const program = new Command('sluice')
    .description('Steers and follows the releases of canaries. NAME alone means default/NAME.')
    .addOption(
      new Option('-o, --output <FORMAT>', 'how to print').choices(['text', 'json']).default('text'),
    )
    .option(
      '--cluster <NAME>',
      'cluster of the canary (default: SLUICE_CLUSTER or "default")',
      parseName,
    )
    .option('--profile <NAME>', "profile of Temporal's configuration file")
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false)
    .addHelpText('after', epilogue);
  addReleasing(program, carry);
  addLooking(program, carry);
  addOrders(program, carry);
  for (const command of [program, ...program.commands]) makeStrict(command, streams);
  return program;
}

function addReleasing(program: Command, carry: Carrier): void {
  program.commandsGroup('Release:');
  onCanary(program, 'release', 'Set images of the target and release them')
    .requiredOption('--image <CONTAINER=IMAGE>', 'image of a container; may be repeated', addImage)
    .option('--reason <TEXT>', 'why, for the record')
    .option('--actor <NAME>', 'who asks (default: SLUICE_ACTOR or user@host)')
    .option('--request-id <ID>', 'a repeated request with the same id is followed once')
    .option('--wait', 'wait for the end of the release')
    .option('--timeout <DURATION>', 'longest wait, such as 30m', parseTimeout)
    .action(canaryAction<ReleaseFlags>(carry, commands.release));
  onCanary(program, 'wait', 'Wait for the end of a release; the exit code tells which')
    .option(
      '--revision <REVISION>',
      'the revision to wait for (default: the newest)',
      parseRevision,
    )
    .option('--timeout <DURATION>', 'longest wait, such as 30m', parseTimeout)
    .action(canaryAction(carry, commands.wait));
}

function addLooking(program: Command, carry: Carrier): void {
  program.commandsGroup('Look:');
  onCanary(program, 'status', 'Where the newest release stands').action(
    canaryAction(carry, commands.status),
  );
  onCanary(program, 'watch', 'Follow a release live; exits as wait does').action(
    canaryAction(carry, ({ sluice, output }, canary) => watch(sluice, canary, output)),
  );
  onCanary(program, 'why', 'What the release waits for, and what fails').action(
    canaryAction(carry, commands.why),
  );
  onCanary(program, 'plan', 'The steps of the release, done and to do').action(
    canaryAction(carry, commands.plan),
  );
  onCanary(program, 'history', 'Past releases of a canary and how they ended')
    .option('--limit <COUNT>', 'most runs to show', parseCount, 20)
    .action(canaryAction(carry, commands.history));
  program
    .command('list')
    .description('Running releases, and how the last one of each canary ended')
    .option('--namespace <NAME>', 'only canaries of this Kubernetes namespace', parseName)
    .option('--all', 'every run, not only the newest of each canary')
    .action((flags: ListFlags, command: Command) =>
      carry(command, (desk) => commands.list(desk, flags)),
    );
}

function addOrders(program: Command, carry: Carrier): void {
  program.commandsGroup('Steer:');
  for (const [name, description] of orders) {
    const command = onCanary(program, name, description)
      .option('--reason <TEXT>', 'why, for the record')
      .option(
        '--revision <REVISION>',
        'the revision it is for (default: the one in release)',
        parseRevision,
      )
      .option('--actor <NAME>', 'who asks (default: SLUICE_ACTOR or user@host)')
      .option('--request-id <ID>', 'a repeated order with the same id is followed once')
      .action(
        canaryAction<OrderFlags>(carry, (desk, canary, flags) =>
          commands.order(desk, canary, name, flags),
        ),
      );
    if (name === 'approve' || name === 'reject') {
      command.option('--gate <NAME>', 'the gate it is for (default: the one that waits)');
    }
  }
}

function onCanary(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('<NS/NAME>', 'the Canary', parseCanary);
}

function canaryAction<F>(
  carry: Carrier,
  work: CanaryWork<F>,
): (canary: CanaryName, flags: F, command: Command) => Promise<void> {
  return (canary, flags, command) => carry(command, (desk) => work(desk, canary, flags));
}

/** Connects, works, and hangs up. What needs the Temporal client is loaded only now, as it is large. */
async function atDesk(command: Command, streams: Streams, work: Work): Promise<number> {
  const { output, ...flags } = command.optsWithGlobals<SharedFlags>();
  const [{ readConfig }, { connectSluice }] = await Promise.all([
    import('./config.js'),
    import('../api/client.js'),
  ]);
  const { cluster, actor, temporal } = readConfig(flags);
  const sluice = await connectSluice({ cluster, temporal });
  try {
    const isStream = command.name() === 'watch';
    return await work({ sluice, actor, output: outputTo(streams, output, isStream) });
  } finally {
    await sluice.close();
  }
}

/** Lets nothing exit or print by itself, except help. */
function makeStrict(command: Command, { stdout, stderr }: Streams): void {
  command
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
    })
    .exitOverride((error) => {
      const isHelp = error.exitCode === 0 || error.code === 'commander.help';
      throw isHelp ? error : usageError(error, command);
    });
}

function fail(error: unknown, { stdout, stderr }: Streams, isJson: boolean): number {
  const { kind, message } = faultOf(error);
  const shape: ErrorShape = { error: { kind, message } };
  if (isJson) stdout.write(`${JSON.stringify(shape, null, 2)}\n`);
  else stderr.write(`sluice: ${message}\n`);
  return kind === 'timed-out' ? exitCodes.timedOut : exitCodes.error;
}

function faultOf(error: unknown): ErrorShape['error'] {
  if (error instanceof SluiceError) return { kind: error.kind, message: error.message };
  if (error instanceof UsageError) return { kind: 'usage', message: error.message };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'unexpected', message };
}
