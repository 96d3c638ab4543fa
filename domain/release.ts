import type { Canary, CanaryStatus, Gate, HookType, Phase } from './canary.js';
import type { Revisions } from './adoption.js';
import type { Names } from './names.js';
import type { Cookies } from './routes.js';
import type { Position, Strategy } from './strategies/strategy.js';

/** Which Canary, in which cluster. */
export interface CanaryRef {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/** The workflow id of a canary's releases. It is the lock: Temporal keeps at most one run of it open. */
export function releaseId({ cluster, namespace, name }: CanaryRef): string {
  return `release/${cluster}/${namespace}/${name}`;
}

/** The task queue the workers of a cluster poll. */
export function taskQueueOf(cluster: string): string {
  return `sluice/${cluster}`;
}

/** Who asked for something, why, and for which revision. */
export interface Order {
  readonly actor: string;
  readonly reason?: string;
  /** The revision the order is meant for; an order for another one is refused. */
  readonly revision: string;
  /** The gate an `approve` or `reject` is meant for; the one that waits when absent. */
  readonly gate?: string;
}

/** A wish to release new images, as CI sends it. */
export interface ReleaseRequest {
  readonly actor: string;
  readonly reason?: string;
  /** Container name → image. */
  readonly images: Readonly<Record<string, string>>;
}

/** Why a run was started. */
export type Trigger =
  | { readonly kind: 'change' }
  | ({ readonly kind: 'retry' } & Order)
  /** A `release` message follows, which brings the new images. */
  | { readonly kind: 'request' };

/** What a release has to know of its Canary; read anew whenever the manifest changes. */
export interface Plan {
  /** The generation of the manifest it was made from. */
  readonly generation: number;
  readonly names: Names;
  /** The kind of the target as the manifest writes it. */
  readonly targetKind: string;
  readonly intervalMs: number;
  readonly threshold: number;
  readonly strategy: Strategy;
  readonly stepWeightPromotion: number;
  readonly skipAnalysis: boolean;
  readonly suspended: boolean;
  readonly progressDeadlineMs: number;
  /** The names of the webhooks of each type, in order; their addresses stay in the manifest. */
  readonly hooks: Readonly<Partial<Record<HookType, readonly string[]>>>;
  readonly gates: readonly Gate[];
  readonly affinity?: { readonly cookieName: string; readonly primaryCookieName?: string };
  readonly onFailure: 'rollback' | 'hold';
  readonly onNewRevision: Canary['onNewRevision'];
  /** What of the manifest is carried out otherwise than it says; told when the analysis begins. */
  readonly warnings: readonly string[];
}

/** What a look at the cluster found. */
export type Survey =
  | {
      readonly kind: 'ready';
      readonly plan: Plan;
      readonly status: Pick<CanaryStatus, (typeof surveyedStatus)[number]>;
      /** What of the status has been put into our words, as Flagger had written it. */
      readonly adopted?: Revisions;
      /** The hash of what the target would run now: its pod template and the configs it refers to. */
      readonly revision: string;
      /** Container images of the target, for people to read. */
      readonly images: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  /** It is being deleted, and waits until the target has been given back what it had. */
  | { readonly kind: 'deleting'; readonly plan: Plan; readonly status: CanaryStatus }
  | { readonly kind: 'gone' };

/** The fields of `Canary.status` that decide how a release begins. */
export const surveyedStatus = [
  'phase',
  'canaryWeight',
  'lastAppliedSpec',
  'lastPromotedSpec',
  'observedGeneration',
  'sessionAffinityCookie',
  'previousSessionAffinityCookie',
  'primarySessionAffinityCookie',
] as const satisfies readonly (keyof CanaryStatus)[];

/** Where a release stands; finer than {@link Phase}, which is what `Canary.status` shows. */
export type Stage =
  /** Creating what the canary needs: services and the primary. */
  | 'preparing'
  | 'awaiting-first-primary'
  | 'initialising'
  /** Giving a primary that a failed promotion broke its last good state again. */
  | 'recovering'
  /** Asking whether the new revision may be rolled out at all. */
  | 'gating'
  | 'scaling-up'
  | 'awaiting-canary'
  /** A workload lost pods during the analysis. */
  | 'awaiting-recovery'
  /** Making a step that a person agreed to. */
  | 'stepping'
  /** Waiting for the next check, and making it; a check that passes makes the next step. */
  | 'analysing'
  /** Back to weight 0, for a newer revision or for a retry. */
  | 'restarting'
  /** Putting the analysed revision back into the target, because newer ones have to wait. */
  | 'putting-back'
  /** Too many checks have failed, and a person decides. */
  | 'holding'
  | 'copying'
  | 'awaiting-primary'
  | 'shifting-back'
  | 'finishing'
  | 'rolling-back'
  | 'failing-promotion'
  /** Calling the hooks that follow the end. */
  | 'concluding'
  /** Giving back to the target what the Canary took, because it is being deleted. */
  | 'reverting'
  | 'over';

export type Role = 'primary' | 'canary';

/** A gate that waits for a person. */
export interface WaitingGate {
  readonly name: string;
  readonly before: Gate['before'];
  /** Epoch milliseconds. */
  readonly since: number;
  /** When nobody is waited for any more; absent for never. */
  readonly deadline?: number;
}

/** Who opened a gate. Bound to the revision by being part of its release's state. */
export interface Approval {
  readonly gate: string;
  readonly actor: string;
  readonly reason?: string;
  readonly at: number;
}

/** Everything a release remembers. Plain data: query result and continue-as-new argument in one. */
export interface ReleaseState extends Position {
  readonly stage: Stage;
  readonly phase: Phase;
  readonly revision: string;
  readonly promotedRevision: string;
  readonly images: readonly string[];
  readonly failedChecks: number;
  /** Checks in a row that came to no verdict. */
  readonly undecided: number;
  readonly checks: number;
  readonly lastCheck?: CheckResult & { readonly at: number };
  /** Epoch milliseconds, as all times here. */
  readonly startedAt: number;
  /** When the stage began. */
  readonly since: number;
  /** When the next check or step of the promotion is due. */
  readonly due: number;
  /** When waiting for pods is given up. */
  readonly deadline: number;
  /** Whose pods are awaited. */
  readonly awaiting: Role;
  readonly paused?: Order & { readonly at: number };
  /** Why the next move can never succeed unless somebody changes a manifest. */
  readonly blocked?: string;
  readonly waitedForPeopleMs: number;
  /** The gate that waits for a person now. */
  readonly gate?: WaitingGate;
  readonly approvals: readonly Approval[];
  /** The HTTP gate that was closed at the last check. */
  readonly closed?: ClosedGate;
  /** Whether what the stage or the gate waits for has been told. */
  readonly announced: boolean;
  /** Whether the HTTP gates before the rollout are open. */
  readonly confirmed: boolean;
  /** Whether the hooks before the first traffic have passed. */
  readonly opened: boolean;
  readonly cookies: Cookies;
  /** The generation of the manifest the generated objects agree with. */
  readonly reconciled: number;
  /** Names of revisions that are to take the place of Flagger's in the status. */
  readonly adopted?: Revisions;
  /** The revision that takes over after a restart; {@link revision} itself for a retry. */
  readonly next?: string;
  /** A revision that has to wait until this release has ended. */
  readonly queued?: string;
  /** The Deployment revision the primary had before the promotion, to go back to. */
  readonly primaryBefore?: string;
  /** How it has ended, while the hooks that follow the end are called. */
  readonly ended?: Outcome;
  /** Why it is being, or was, rolled back or held. */
  readonly cause?: Cause;
  readonly outcome?: Outcome;
  /** Reports written so far: numbers the keys that keep events from being doubled. */
  readonly reports: number;
}

/** An HTTP gate that did not let the release pass. */
export interface ClosedGate {
  readonly type: HookType;
  /** The name of the webhook. */
  readonly hook: string;
}

/** How a release ended. */
export type Outcome =
  /** There was nothing to release; generated objects may have been corrected. */
  | 'unchanged'
  | 'initialised'
  | 'promoted'
  | 'superseded'
  | 'rolled-back'
  | 'promotion-failed'
  | 'failed'
  /** The Canary is being deleted, and the target has been given back what it had. */
  | 'reverted'
  /** The Canary was deleted. */
  | 'gone';

/** Why a release did not end well; the content of the workflow's failure. */
export interface Cause {
  readonly type:
    | 'AnalysisFailed'
    | 'DeadlineExceeded'
    | 'RolledBack'
    | 'Rejected'
    | 'Reverted'
    | 'Abandoned'
    | 'Cancelled'
    | 'InvalidSpec';
  readonly message: string;
  readonly check?: string;
  readonly value?: number;
  readonly threshold?: string;
  readonly actor?: string;
  readonly reason?: string;
}

/** One metric as the last check saw it. */
export interface MetricReading {
  readonly metric: string;
  /** Absent when the provider had no data or could not answer. */
  readonly value?: number;
  /** The allowed range as people read it, such as `>= 99` or `<= 500ms`. */
  readonly threshold: string;
  readonly passed: boolean;
}

/** What one analysis check found. */
export type CheckResult =
  | {
      readonly verdict: 'passed';
      readonly readings: readonly MetricReading[];
      readonly repaired: boolean;
      /** The HTTP gate that kept the step that follows from being made. */
      readonly closed?: ClosedGate;
    }
  | {
      readonly verdict: 'failed';
      readonly readings: readonly MetricReading[];
      readonly repaired: boolean;
      /** The metric or hook that failed, and the sentence of the event. */
      readonly check: string;
      readonly reason: string;
    }
  /** A metric could not be judged, and its policy says neither to fail nor to go on. */
  | {
      readonly verdict: 'undecided';
      readonly readings: readonly MetricReading[];
      readonly repaired: boolean;
      readonly policy: 'hold' | 'extend';
      readonly check: string;
      readonly reason: string;
    }
  /** A rollback webhook asked for it. */
  | { readonly verdict: 'rollback'; readonly hook: string }
  /** Pods are missing but may still come. */
  | { readonly verdict: 'unready'; readonly role: Role; readonly reason: string }
  /** Pods are missing and the deadline has passed. */
  | { readonly verdict: 'hopeless'; readonly role: Role; readonly reason: string }
  /** The target is not the revision under analysis any more. */
  | { readonly verdict: 'changed'; readonly revision: string };

/** How waiting for the pods of a workload ended. */
export type PodsResult =
  { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** The revision the target has instead of the one traffic was to be shifted to; undefined when it was shifted. */
export type RouteResult = { readonly revision: string } | undefined;

/** What became of copying the target to the primary. */
export type PromoteResult =
  | { readonly copied: true; readonly primaryBefore: string | undefined }
  | { readonly copied: false; readonly revision: string };
