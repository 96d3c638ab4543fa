import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import type { InjectedSinks, WorkflowBundle } from '@temporalio/worker';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { quietRuntime } from '../workflows/rig.js';
import type { RecorderSinks } from './command-recorder.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'test/replay/histories');
const histories = readdirSync(folder).map((file) => ({
  workflowId: file.replace('.json', ''),
  history: JSON.parse(readFileSync(join(folder, file), 'utf8')) as RecordedHistory,
}));

interface RecordedHistory {
  readonly events: readonly {
    readonly eventType: string;
    readonly activityTaskScheduledEventAttributes?: {
      readonly activityType: { readonly name: string };
      readonly input?: { readonly payloads: readonly { readonly data: string }[] };
    };
    readonly timerStartedEventAttributes?: { readonly startToFireTimeout: string };
  }[];
}

/**
 * Replays the recorded histories against workflow code. Temporal compares the order and the types of
 * commands only, so the arguments are compared here.
 */
async function replay(
  workflowBundle: WorkflowBundle,
): Promise<{ readonly errors: string[]; readonly asked: Record<string, string[]> }> {
  const errors: string[] = [];
  const asked: Record<string, string[]> = {};
  const sinks: InjectedSinks<RecorderSinks> = {
    recorder: {
      asked: {
        fn: ({ workflowId }, _runId, command) => void (asked[workflowId] ??= []).push(command),
        callDuringReplay: true,
      },
    },
  };
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle, sinks },
    histories,
  )) {
    if (error !== undefined) errors.push(`${workflowId}: ${error.message}`);
  }
  return { errors, asked };
}

function recordedCommands({ events }: RecordedHistory): string[] {
  return events.flatMap((event) => {
    const { activityTaskScheduledEventAttributes: activity, timerStartedEventAttributes: timer } =
      event;
    if (activity !== undefined) {
      const args = (activity.input?.payloads ?? []).map(
        ({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()) as unknown,
      );
      return [`${activity.activityType.name} ${JSON.stringify(args)}`];
    }
    return timer === undefined
      ? []
      : [`timer ${String(parseFloat(timer.startToFireTimeout) * 1_000)}`];
  });
}

async function bundleOf(source: string): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: join(source, 'workflows/index.ts'),
    workflowInterceptorModules: [join(source, 'test/replay/command-recorder.ts')],
    logger: new DefaultLogger('ERROR'),
  });
}

/** The workflow code with one line of `domain` changed, in a folder that goes away with the test. */
async function mutated(file: string, from: string, into: string): Promise<WorkflowBundle> {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const copy = mkdtempSync(join(root, 'dist', 'mutant-'));
  try {
    for (const part of [
      'domain',
      'workflows',
      'activities/contract.ts',
      'test/replay/command-recorder.ts',
    ]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    const text = readFileSync(join(copy, file), 'utf8');
    expect(text).toContain(from);
    writeFileSync(join(copy, file), text.replace(from, into));
    return await bundleOf(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

beforeAll(() => {
  quietRuntime();
});

describe('the recorded histories', () => {
  it('replay, and every activity and timer has the arguments it had', async () => {
    const { errors, asked } = await replay(await bundleOf(root));

    expect(errors).toEqual([]);
    for (const { workflowId, history } of histories) {
      expect({ [workflowId]: asked[workflowId] }).toEqual({
        [workflowId]: recordedCommands(history),
      });
    }
  }, 120_000);

  it('show a changed order of steps to Temporal itself', async () => {
    const { errors } = await replay(
      await mutated('domain/after.ts', "plan.skipAnalysis ? 'copying' : 'analysing'", "'copying'"),
    );

    expect(errors).not.toEqual([]);
  }, 120_000);

  it('show a changed weight to the comparison, although Temporal accepts it', async () => {
    const { errors, asked } = await replay(
      await mutated(
        'domain/strategies/weighted.ts',
        'routes: toCanary(next)',
        'routes: toCanary(next + 1)',
      ),
    );

    expect(errors).toEqual([]);
    const promoted = histories.find(({ workflowId }) => workflowId === 'promoted');
    expect(asked['promoted']).not.toEqual(promoted && recordedCommands(promoted.history));
  }, 120_000);
});
