import type { Alert } from './alerts.js';
import type { CanaryStatus, HookType } from './canary.js';
import type { ClosedGate, Outcome, Role } from './release.js';
import type { Cookies, Routes } from './routes.js';

/** An event's type and text. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  /** What people are told by message at the same time. */
  readonly alert?: Alert;
}

/** The fields of `Canary.status` a move sets; absent ones stay as they are. */
export type StatusPatch = Partial<
  Pick<
    CanaryStatus,
    | 'phase'
    | 'canaryWeight'
    | 'failedChecks'
    | 'iterations'
    | 'lastAppliedSpec'
    | 'lastPromotedSpec'
    | 'observedGeneration'
    | 'sessionAffinityCookie'
    | 'previousSessionAffinityCookie'
    | 'primarySessionAffinityCookie'
  >
>;

/** What is told to the world with a move; written by the activity that makes it. */
export interface Report {
  /** Unique per run and move: a repeated attempt with the same key writes no event twice. */
  readonly key: string;
  /** Events before and after the deed. */
  readonly before?: readonly EventText[];
  readonly after?: readonly EventText[];
  /** Written after the deed, before the later events. */
  readonly status?: StatusPatch;
}

/** How a release ended, for the metrics. */
export interface Ending {
  readonly outcome: Outcome;
  readonly startedAt: number;
  readonly waitedForPeopleMs: number;
}

/** Where the traffic is to go, and what is told of it. */
export interface Shift {
  readonly routes: Routes;
  readonly cookies: Cookies;
  readonly report: Report;
}

/** What follows a check that passes, in the same activity. */
export interface Then {
  /** HTTP gates that have to be open, in the order they are asked. */
  readonly gates: readonly HookType[];
  /** The one that was closed at the last check, which has been told of already. */
  readonly told?: ClosedGate;
  /** The step; absent when something else decides about it. */
  readonly step?: Shift;
}

/** The next thing a release does: exactly one activity, one wait, or the end. */
export type Move =
  | { readonly kind: 'prepare'; readonly report: Report }
  | { readonly kind: 'awaitPods'; readonly role: Role; readonly deadline: number }
  | { readonly kind: 'initialise'; readonly revision: string; readonly report: Report }
  /** Brings the generated objects in line with the manifest, with the traffic as it is. */
  | ({ readonly kind: 'reconcile' } & Shift)
  | {
      readonly kind: 'recover';
      readonly primaryBefore: string | undefined;
      readonly report: Report;
    }
  /** Asks the HTTP gates before the rollout again and again until they are open. */
  | {
      readonly kind: 'awaitGate';
      readonly everyMs: number;
      /** What is to be let in, for people to read. */
      readonly revision?: string;
      /** Whether the wait is taken up again after an interruption. */
      readonly again?: true;
      readonly report: Report;
    }
  | { readonly kind: 'scaleUp'; readonly report: Report }
  | ({
      readonly kind: 'route';
      /** What a person agreed to: the target has to be it still. Absent where that does not matter. */
      readonly revision?: string;
      /** Present when the release ends with this move. */
      readonly ending?: Ending;
    } & Shift)
  | {
      readonly kind: 'check';
      readonly revision: string;
      /** What the routes should be now. */
      readonly routes: Routes;
      readonly cookies: Cookies;
      /** Which hooks are part of the check; those of `rollout` come with the metrics. */
      readonly hooks: 'pre-rollout' | 'rollout' | 'none';
      readonly failedChecks: number;
      readonly then: Then;
      readonly report: Report;
    }
  | { readonly kind: 'promote'; readonly revision: string; readonly report: Report }
  | { readonly kind: 'finish'; readonly ending: Ending; readonly report: Report }
  | {
      readonly kind: 'rollBack';
      readonly cookies: Cookies;
      /** The Deployment revision to give back to the primary, if promotion had begun. */
      readonly primaryBefore: string | undefined;
      readonly ending: Ending;
      readonly report: Report;
    }
  /** Gives the target the pods of an earlier revision again. */
  | { readonly kind: 'putBack'; readonly revision: string; readonly report: Report }
  /** Calls the webhooks that follow the end of a release. */
  | { readonly kind: 'conclude'; readonly report: Report }
  /** Gives back to the target what the Canary took, and lets the Canary go. */
  | { readonly kind: 'revert'; readonly report: Report }
  | { readonly kind: 'tell'; readonly report: Report }
  | { readonly kind: 'wait'; readonly until: number | undefined }
  | { readonly kind: 'end'; readonly outcome: Outcome };
