import type { Move } from './moves.js';
import type { Plan, ReleaseState, Stage } from './release.js';
import { formatDuration } from './duration.js';

/** The one thing a release waits for. Times are epoch milliseconds. */
export interface Why {
  readonly waitingFor: string;
  readonly since: number;
  /** When the wait ends by itself; absent when only an event or a person ends it. */
  readonly until?: number;
  /** What ends it, and what can be asked for meanwhile. */
  readonly endsWhen: string;
}

/** One step of a release, as the `plan` query lists them. */
export interface PlannedStep {
  readonly step: string;
  readonly state: 'done' | 'now' | 'to do';
}

const doingNow: Readonly<Record<Stage, string>> = {
  preparing: 'it is being initialised',
  'awaiting-first-primary': 'it is being initialised (there is no earlier revision to return to)',
  initialising: 'it is being initialised',
  'scaling-up': 'the canary is being scaled up',
  'awaiting-canary': 'the canary pods are starting',
  'awaiting-recovery': 'pods that were lost are awaited',
  stepping: 'traffic is being shifted to the canary',
  analysing: 'the canary is being analysed',
  restarting: 'the analysis is being restarted',
  copying: 'the primary is being updated',
  'awaiting-primary': 'the primary is being updated',
  'shifting-back': 'traffic is being shifted to the updated primary',
  finishing: 'the canary is being scaled down after its promotion',
  'rolling-back': 'it is being rolled back',
  'failing-promotion': 'its promotion has failed and traffic goes to the canary',
  over: 'the release is over',
};

/** What a release does, as the second half of a sentence. */
export function doing({ stage, outcome }: ReleaseState): string {
  return stage === 'over' && outcome !== undefined
    ? `the release is over (${outcome})`
    : doingNow[stage];
}

/** Says what a release waits for, since when, until when, and what would end it. */
export function why(plan: Plan, state: ReleaseState): Why {
  const { stage, since, due, deadline, paused } = state;
  if (stage === 'over') {
    return {
      waitingFor: `nothing: ${endOf(state)}`,
      since,
      endsWhen: 'a new revision starts a new release',
    };
  }
  if (state.blocked !== undefined) {
    return {
      waitingFor: `a change of the manifest: ${state.blocked}`,
      since,
      endsWhen: 'the Canary or its target is changed',
    };
  }
  if (paused !== undefined) {
    const reason = paused.reason === undefined ? '' : ` (${paused.reason})`;
    return {
      waitingFor: `a person: paused by ${paused.actor}${reason}`,
      since: paused.at,
      endsWhen: 'someone resumes, promotes or rolls back',
    };
  }
  if (plan.suspended) {
    return {
      waitingFor: 'the manifest: spec.suspend is true',
      since,
      endsWhen: 'spec.suspend is unset',
    };
  }
  switch (stage) {
    case 'awaiting-first-primary':
    case 'awaiting-primary':
    case 'awaiting-canary':
    case 'awaiting-recovery':
      return {
        waitingFor: `the pods of ${workloadOf(plan, state)} to be ready`,
        since,
        until: deadline,
        endsWhen: 'the last pod is ready, or the progress deadline passes',
      };
    case 'analysing':
      return {
        waitingFor: `the next check at weight ${String(state.weight)}`,
        since,
        until: due,
        endsWhen: 'the analysis interval is over',
      };
    case 'shifting-back':
      return {
        waitingFor: 'the next step of the promotion',
        since,
        until: due,
        endsWhen: 'the interval is over',
      };
    default:
      return {
        waitingFor: `an activity: ${doing(state)}`,
        since,
        endsWhen: 'the activity succeeds; it is retried until then',
      };
  }
}

/** Lists the steps of a release in order, and which one is being made. */
export function planOf(plan: Plan, state: ReleaseState): PlannedStep[] {
  const { weights, skipAnalysis, intervalMs } = plan;
  const reached = stageOrder.indexOf(state.stage);
  const at = (stage: Stage): PlannedStep['state'] => {
    const position = stageOrder.indexOf(stage);
    if (state.outcome === 'promoted' || position < reached) return 'done';
    return position === reached ? 'now' : 'to do';
  };
  const atWeight = (weight: number): PlannedStep['state'] => {
    if (at('analysing') !== 'now' && state.stage !== 'stepping') return at('analysing');
    return weight < state.weight ? 'done' : weight === state.weight ? 'now' : 'to do';
  };
  return [
    { step: `scale up ${plan.names.target} and wait for its pods`, state: at('awaiting-canary') },
    ...(skipAnalysis ? [] : weights).map((weight) => ({
      step: `${String(weight)}% of the traffic to the canary for ${formatDuration(intervalMs)}, then a check`,
      state: atWeight(weight),
    })),
    {
      step: `copy the target to ${plan.names.primaryWorkload} and wait for its pods`,
      state: at('awaiting-primary'),
    },
    { step: 'all traffic to the primary', state: at('shifting-back') },
    { step: `scale down ${plan.names.target}`, state: at('finishing') },
  ];
}

/** The current details of the Temporal UI, in Markdown. */
export function details(plan: Plan, state: ReleaseState): string {
  const { waitingFor, until, endsWhen } = why(plan, state);
  const steps = planOf(plan, state).map(
    ({ step, state: progress }) => `- ${marks[progress]} ${step}`,
  );
  return [
    `**${plan.names.canary}** · revision \`${state.revision}\` (${state.images.join(', ')}) · ${state.phase || 'new'}`,
    '',
    bar(state.weight),
    '',
    `Waits for ${waitingFor}${until === undefined ? '' : ` (until ${new Date(until).toISOString()})`}; ends when ${endsWhen}.`,
    '',
    ...readingsOf(plan, state),
    ...steps,
  ].join('\n');
}

/** How a release ended, in one line. */
export function endOf({ outcome, revision, cause, next }: ReleaseState): string {
  switch (outcome) {
    case 'promoted':
      return `revision ${revision} was promoted`;
    case 'initialised':
      return `initialised with revision ${revision}`;
    case 'superseded':
      return `revision ${revision} was superseded by ${next ?? 'a newer one'}`;
    case 'unchanged':
      return `revision ${revision} needs no release`;
    case 'rolled-back':
      return `revision ${revision} was rolled back: ${cause?.message ?? ''}`;
    case 'promotion-failed':
      return `the primary did not become ready with revision ${revision}: ${cause?.message ?? ''}`;
    case 'gone':
      return 'the Canary was deleted';
    default:
      return cause?.message ?? 'the release is over';
  }
}

const marks = { done: '✓', now: '**▶**', 'to do': '○' } as const;

/** Stages in the order a good release passes them. */
const stageOrder: readonly Stage[] = [
  'preparing',
  'awaiting-first-primary',
  'initialising',
  'restarting',
  'scaling-up',
  'awaiting-canary',
  'stepping',
  'analysing',
  'awaiting-recovery',
  'copying',
  'awaiting-primary',
  'shifting-back',
  'finishing',
  'over',
];

function workloadOf({ names }: Plan, { awaiting }: ReleaseState): string {
  return awaiting === 'primary' ? names.primaryWorkload : names.targetWorkload;
}

function bar(weight: number): string {
  const filled = Math.round(weight / 5);
  return `\`${'█'.repeat(filled)}${'░'.repeat(20 - filled)}\` ${String(weight)}% canary`;
}

function readingsOf(
  { threshold }: Plan,
  { lastCheck, failedChecks, checks }: ReleaseState,
): string[] {
  if (lastCheck === undefined) return [];
  const readings =
    'readings' in lastCheck
      ? lastCheck.readings.map(
          ({ metric, value, threshold: range, passed }) =>
            `| ${metric} | ${value === undefined ? 'no data' : String(Number(value.toFixed(3)))} | ${range} | ${passed ? '✓' : '✗'} |`,
        )
      : [];
  return [
    `Check ${String(checks)}: **${lastCheck.verdict}**, ${String(failedChecks)} failed of ${String(threshold)} allowed.`,
    ...('reason' in lastCheck ? ['', lastCheck.reason] : []),
    '',
    ...(readings.length === 0
      ? []
      : ['| metric | value | allowed | |', '|---|---|---|---|', ...readings, '']),
  ];
}

/** One line about a move, for the lists of the Temporal UI. */
export function summaryOf({ names }: Plan, move: Move): string {
  switch (move.kind) {
    case 'prepare':
      return `create ${names.primaryWorkload} and the services`;
    case 'awaitPods':
      return `wait for the pods of ${move.role === 'primary' ? names.primaryWorkload : names.targetWorkload}`;
    case 'initialise':
      return `all traffic to ${names.primaryWorkload}, ${names.targetWorkload} to zero`;
    case 'scaleUp':
      return `scale up ${names.targetWorkload}`;
    case 'route':
      return `route ${String(move.routes.canary)}% to the canary`;
    case 'check':
      return `check at ${String(move.routes.canary)}% (${String(move.failedChecks)} failed so far)`;
    case 'promote':
      return `copy ${names.targetWorkload} to ${names.primaryWorkload}`;
    case 'finish':
      return `promoted: scale down ${names.targetWorkload}`;
    case 'rollBack':
      return `roll back: all traffic to ${names.primaryWorkload}`;
    case 'wait':
      return 'analysis interval';
    case 'end':
      return 'end';
  }
}
