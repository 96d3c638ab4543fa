import type { Gate } from './canary.js';
import { formatDuration } from './duration.js';
import type { Move } from './moves.js';
import type { Plan, ReleaseState, Stage } from './release.js';
import type { Routes } from './routes.js';
import { allSteps, type Position, type Step, type Strategy } from './strategies/strategy.js';

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
  recovering: 'the primary is being restored after a failed promotion',
  gating: 'it waits to be let in',
  'awaiting-first-primary': 'it is being initialised (there is no earlier revision to return to)',
  initialising: 'it is being initialised',
  'scaling-up': 'the canary is being scaled up',
  'awaiting-canary': 'the canary pods are starting',
  'awaiting-recovery': 'pods that were lost are awaited',
  stepping: 'traffic is being shifted to the canary',
  analysing: 'the canary is being analysed',
  restarting: 'the analysis is being restarted',
  'putting-back': 'the analysed revision is being put back into the target',
  holding: 'the analysis has failed and a person has to decide',
  copying: 'the primary is being updated',
  'awaiting-primary': 'the primary is being updated',
  'shifting-back': 'traffic is being shifted to the updated primary',
  finishing: 'the canary is being scaled down after its promotion',
  'rolling-back': 'it is being rolled back',
  'failing-promotion': 'its promotion has failed and traffic goes to the canary',
  concluding: 'the webhooks that follow the end are being called',
  reverting: 'the target is being given back what the Canary took',
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
  const { stage, since, paused } = state;
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
  return (isRunning(stage) ? whyGate(state) : undefined) ?? whyStage(plan, state);
}

function isRunning(stage: Stage): boolean {
  return stage === 'gating' || stage === 'analysing';
}

/** What is said while a gate is closed, be it a person's or a webhook's. */
function whyGate({ stage, gate, closed, since, due }: ReleaseState): Why | undefined {
  if (gate !== undefined) {
    return {
      waitingFor: `a person: gate ${gate.name} before the ${gate.before}`,
      since: gate.since,
      ...(gate.deadline === undefined ? {} : { until: gate.deadline }),
      endsWhen: 'someone approves or rejects, or its time is up',
    };
  }
  if (stage === 'gating') {
    return {
      waitingFor: 'the confirm-rollout webhooks to agree',
      since,
      endsWhen: 'all of them answer with success; they are asked once per interval',
    };
  }
  return closed === undefined
    ? undefined
    : {
        waitingFor: `the ${closed.type} webhook ${closed.hook} to agree`,
        since,
        until: due,
        endsWhen: 'it answers with success; it is asked with every check',
      };
}

function whyStage(plan: Plan, state: ReleaseState): Why {
  const { stage, since, due, deadline } = state;
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
    case 'holding':
      return {
        waitingFor: `a person: ${state.cause?.message ?? ''}`,
        since,
        endsWhen: 'someone promotes, retries or rolls back',
      };
    case 'analysing':
      return {
        waitingFor: `the next check ${placeOf(state)}`,
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
  const { names, skipAnalysis, strategy, intervalMs } = plan;
  const reached = stageOrder.indexOf(state.stage);
  const at = (stage: Stage): PlannedStep['state'] => {
    const position = stageOrder.indexOf(stage);
    if (state.outcome === 'promoted' || position < reached) return 'done';
    return position === reached ? 'now' : 'to do';
  };
  const steps = skipAnalysis ? [] : allSteps(strategy, names);
  return [
    ...gatesOf(plan, state, 'rollout'),
    { step: `scale up ${names.target} and wait for its pods`, state: at('awaiting-canary') },
    ...gatesOf(plan, state, 'traffic-increase'),
    ...steps.map((step) => ({
      step: `${labelOf(strategy, step)} for ${formatDuration(intervalMs)}, then a check`,
      state: at('analysing') === 'now' ? progressOf(state, step) : at('analysing'),
    })),
    ...gatesOf(plan, state, 'promotion'),
    {
      step: `copy the target to ${names.primaryWorkload} and wait for its pods`,
      state: at('awaiting-primary'),
    },
    { step: 'all traffic to the primary', state: at('shifting-back') },
    { step: `scale down ${names.target}`, state: at('finishing') },
  ];
}

function gatesOf(
  { gates }: Plan,
  { gate: waiting, approvals }: ReleaseState,
  kind: Gate['before'],
): PlannedStep[] {
  return gates
    .filter(({ before }) => before === kind)
    .map(({ name }) => {
      const approval = approvals.find(({ gate }) => gate === name);
      const by = approval === undefined ? '' : ` (by ${approval.actor})`;
      const state = waiting?.name === name ? 'now' : approval === undefined ? 'to do' : 'done';
      return { step: `gate ${name}: a person approves${by}`, state };
    });
}

function labelOf({ kind }: Strategy, { routes, iterations }: Step): string {
  if (routes.mirror === true) return 'copies of the requests to the canary';
  if (kind === 'ab-testing') return `matching requests to the canary (${String(iterations)})`;
  if (kind === 'replicas') return `${String(routes.canary)}% of the pods to the canary`;
  if (routes.canary === 0) return `the canary without traffic (${String(iterations)})`;
  return `${String(routes.canary)}% of the traffic to the canary`;
}

function progressOf(state: ReleaseState, step: Step): PlannedStep['state'] {
  const rank = ({ weight, iterations, mirrored }: Position): number =>
    iterations * 1_000 + weight * 2 + (mirrored ? 1 : 0);
  const [now, then] = [rank(state), rank(step)];
  return then < now ? 'done' : then === now ? 'now' : 'to do';
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
    case 'reverted':
      return 'the target was given back what the Canary took';
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
  'recovering',
  'restarting',
  'gating',
  'scaling-up',
  'awaiting-canary',
  'putting-back',
  'awaiting-recovery',
  'stepping',
  'analysing',
  'holding',
  'copying',
  'awaiting-primary',
  'shifting-back',
  'finishing',
  'concluding',
  'over',
];

function workloadOf({ names }: Plan, { awaiting }: ReleaseState): string {
  return awaiting === 'primary' ? names.primaryWorkload : names.targetWorkload;
}

/** Where the release stands, as the end of a sentence. */
function placeOf({ weight, iterations }: ReleaseState): string {
  return iterations > 0 ? `of iteration ${String(iterations)}` : `at weight ${String(weight)}`;
}

function bar(weight: number): string {
  const filled = Math.round(weight / 5);
  return `\`${'█'.repeat(filled)}${'░'.repeat(20 - filled)}\` ${String(weight)}% canary`;
}

function readingsOf(
  { threshold }: Plan,
  { lastCheck, failedChecks, checks }: ReleaseState,
): string[] {
  if (lastCheck === undefined || checks === 0) return [];
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
    case 'reconcile':
      return 'bring services and routes in line with the manifest';
    case 'recover':
      return `restore ${names.primaryWorkload}, then all traffic to it`;
    case 'awaitGate':
      return 'ask the confirm-rollout webhooks until they agree';
    case 'scaleUp':
      return `scale up ${names.targetWorkload}`;
    case 'route':
      return routeSummary(move.routes);
    case 'check':
      return checkSummary(move);
    case 'promote':
      return `copy ${names.targetWorkload} to ${names.primaryWorkload}`;
    case 'finish':
      return `promoted: scale down ${names.targetWorkload}`;
    case 'rollBack':
      return `roll back: all traffic to ${names.primaryWorkload}`;
    case 'putBack':
      return `put revision ${move.revision} back into ${names.targetWorkload}`;
    case 'conclude':
      return 'call the post-rollout webhooks';
    case 'revert':
      return `give ${names.targetWorkload} its pods and traffic back`;
    case 'tell':
      return (move.report.before ?? []).map(({ message }) => message).join('; ');
    case 'wait':
      return 'analysis interval';
    case 'end':
      return 'end';
  }
}

function routeSummary({ canary, mirror }: Routes): string {
  return mirror === true ? 'copy requests to the canary' : `route ${String(canary)}% to the canary`;
}

function checkSummary({
  routes,
  failedChecks,
  then: { step },
}: Extract<Move, { kind: 'check' }>): string {
  const next = step === undefined ? '' : `, then ${routeSummary(step.routes)}`;
  return `check at ${String(routes.canary)}% (${String(failedChecks)} failed so far)${next}`;
}
