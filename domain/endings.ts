import { cookiesWith, cookieStatus } from './cookies.js';
import type { Ending, EventText, Move } from './moves.js';
import type { Outcome, Plan, ReleaseState } from './release.js';
import { report, started } from './reports.js';
import { allToCanary, allToPrimary } from './routes.js';
import { texts } from './texts.js';

/** The moves that end a release. */

/** The primary has everything: only the canary's pods are left to be stopped. */
export function finish(plan: Plan, state: ReleaseState): Move {
  return {
    kind: 'finish',
    ending: ending(state, 'promoted'),
    report: report(state, {
      status: {
        phase: 'Succeeded',
        canaryWeight: 0,
        iterations: 0,
        lastPromotedSpec: state.revision,
      },
      // Flagger tells of the end behind the hooks that follow it.
      after: hasConclusion(plan) ? [] : [promotedText(plan)],
    }),
  };
}

/** Everything goes back to what it was before the release. */
export function rollBack(plan: Plan, state: ReleaseState): Move {
  const { names } = plan;
  const cookies = cookiesWith(plan, state, allToPrimary, '');
  return {
    kind: 'rollBack',
    cookies,
    primaryBefore: state.primaryBefore,
    ending: ending(state, 'rolled-back'),
    report: report(state, {
      before: [texts.rollingBack(names, state.cause?.message ?? ''), texts.failed(names)],
      status: {
        ...started,
        phase: 'Failed',
        lastAppliedSpec: state.revision,
        ...cookieStatus(plan, cookies),
      },
    }),
  };
}

/** The primary broke while it was updated: the canary is the healthy copy, so it gets everything. */
export function failPromotion({ names }: Plan, state: ReleaseState): Move {
  return {
    kind: 'route',
    routes: allToCanary,
    cookies: state.cookies,
    report: report(state, {
      before: [texts.promotionFailed(names, state.cause?.message ?? '')],
      status: { phase: 'Failed', canaryWeight: 100, failedChecks: 0, iterations: 0 },
    }),
    ending: ending(state, 'promotion-failed'),
  };
}

/** The event of a promotion. */
export function promotedText({ names, skipAnalysis }: Plan): EventText {
  return skipAnalysis ? texts.promotedUnchecked(names) : texts.promoted(names);
}

/** Whether hooks are called behind the end of a release. */
export function hasConclusion({ hooks }: Plan): boolean {
  return (hooks['post-rollout']?.length ?? 0) > 0;
}

function ending({ startedAt, waitedForPeopleMs }: ReleaseState, outcome: Outcome): Ending {
  return { outcome, startedAt, waitedForPeopleMs };
}
