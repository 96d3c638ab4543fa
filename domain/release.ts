import type { CanaryStatus, Phase } from './canary.js';
import type { Names } from './names.js';

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
  readonly names: Names;
  readonly intervalMs: number;
  readonly threshold: number;
  readonly weights: readonly number[];
  readonly stepWeightPromotion: number;
  readonly skipAnalysis: boolean;
  readonly suspended: boolean;
  readonly progressDeadlineMs: number;
}

/** What a look at the cluster found. */
export type Survey =
  | {
      readonly kind: 'ready';
      readonly plan: Plan;
      /** The generation of the manifest the plan was made from. */
      readonly generation: number;
      readonly status: Pick<
        CanaryStatus,
        'phase' | 'canaryWeight' | 'lastAppliedSpec' | 'lastPromotedSpec'
      >;
      /** The hash of the target's pod template as it is now. */
      readonly revision: string;
      /** Container images of the target, for people to read. */
      readonly images: readonly string[];
    }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | { readonly kind: 'gone' };

/** Where a release stands; finer than {@link Phase}, which is what `Canary.status` shows. */
export type Stage =
  /** Creating what the canary needs: services and the primary. */
  | 'preparing'
  | 'awaiting-first-primary'
  | 'initialising'
  | 'scaling-up'
  | 'awaiting-canary'
  /** A workload lost pods during the analysis. */
  | 'awaiting-recovery'
  | 'stepping'
  | 'analysing'
  /** Back to weight 0, for a newer revision or for a retry. */
  | 'restarting'
  | 'copying'
  | 'awaiting-primary'
  | 'shifting-back'
  | 'finishing'
  | 'rolling-back'
  | 'failing-promotion'
  | 'over';

export type Role = 'primary' | 'canary';

/** Everything a release remembers. Plain data: query result and continue-as-new argument in one. */
export interface ReleaseState {
  readonly stage: Stage;
  readonly phase: Phase;
  readonly revision: string;
  readonly promotedRevision: string;
  readonly images: readonly string[];
  /** Percent of the traffic at the canary. */
  readonly weight: number;
  readonly failedChecks: number;
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
  /** The revision that takes over after a restart; {@link revision} itself for a retry. */
  readonly next?: string;
  /** The Deployment revision the primary had before the promotion, to go back to. */
  readonly primaryBefore?: string;
  /** Why it is being, or was, rolled back. */
  readonly cause?: Cause;
  readonly outcome?: Outcome;
  /** Reports written so far: numbers the keys that keep events from being doubled. */
  readonly reports: number;
}

/** How a release ended. */
export type Outcome =
  | 'unchanged'
  | 'initialised'
  | 'promoted'
  | 'superseded'
  | 'rolled-back'
  | 'promotion-failed'
  | 'failed'
  /** The Canary was deleted. */
  | 'gone';

/** Why a release did not end well; the content of the workflow's failure. */
export interface Cause {
  readonly type:
    | 'AnalysisFailed'
    | 'DeadlineExceeded'
    | 'RolledBack'
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
    }
  | {
      readonly verdict: 'failed';
      readonly readings: readonly MetricReading[];
      readonly repaired: boolean;
      /** The metric that failed, and the sentence of the event. */
      readonly check: string;
      readonly reason: string;
    }
  /** Pods are missing but may still come. */
  | { readonly verdict: 'unready'; readonly role: Role; readonly reason: string }
  /** Pods are missing and the deadline has passed. */
  | { readonly verdict: 'hopeless'; readonly role: Role; readonly reason: string }
  /** The target is not the revision under analysis any more. */
  | { readonly verdict: 'changed'; readonly revision: string };

/** How waiting for the pods of a workload ended. */
export type PodsResult =
  { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** What became of copying the target to the primary. */
export type PromoteResult =
  | { readonly copied: true; readonly primaryBefore: string | undefined }
  | { readonly copied: false; readonly revision: string };
