import type { Phase } from './canary.js';
import type { Outcome, Role } from './release.js';
import type { Routes } from './routes.js';

/** An event's type and text. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
}

/** The fields of `Canary.status` a move sets; absent ones stay as they are. */
export interface StatusPatch {
  readonly phase?: Phase;
  readonly canaryWeight?: number;
  readonly failedChecks?: number;
  readonly iterations?: number;
  readonly lastAppliedSpec?: string;
  readonly lastPromotedSpec?: string;
}

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

/** The next thing a release does: exactly one activity, one wait, or the end. */
export type Move =
  | { readonly kind: 'prepare'; readonly report: Report }
  | { readonly kind: 'awaitPods'; readonly role: Role; readonly deadline: number }
  | { readonly kind: 'initialise'; readonly revision: string; readonly report: Report }
  | { readonly kind: 'scaleUp'; readonly report: Report }
  | {
      readonly kind: 'route';
      readonly routes: Routes;
      readonly report: Report;
      /** Present when the release ends with this move. */
      readonly ending?: Ending;
    }
  | {
      readonly kind: 'check';
      readonly revision: string;
      readonly routes: Routes;
      readonly failedChecks: number;
      readonly report: Report;
    }
  | { readonly kind: 'promote'; readonly revision: string; readonly report: Report }
  | { readonly kind: 'finish'; readonly ending: Ending; readonly report: Report }
  | {
      readonly kind: 'rollBack';
      /** The Deployment revision to give back to the primary, if promotion had begun. */
      readonly primaryBefore: string | undefined;
      readonly ending: Ending;
      readonly report: Report;
    }
  | { readonly kind: 'wait'; readonly until: number | undefined }
  | { readonly kind: 'end'; readonly outcome: Outcome };
