import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import type { Activities } from '../../activities/contract.js';
import type { CanaryStatus } from '../../domain/canary.js';
import type { Report } from '../../domain/moves.js';
import type { CheckResult, Plan, PodsResult, Survey } from '../../domain/release.js';

export const passed: CheckResult = {
  verdict: 'passed',
  readings: [{ metric: 'request-success-rate', value: 100, threshold: '>= 99', passed: true }],
  repaired: false,
};

export const failed: CheckResult = {
  verdict: 'failed',
  readings: [{ metric: 'request-success-rate', value: 42, threshold: '>= 99', passed: false }],
  repaired: false,
  check: 'request-success-rate',
  reason: 'Halt podinfo.test advancement success rate 42.00% < 99%',
};

/** A plan whose times fit a test. */
export function aPlan(change: Partial<Plan> = {}): Plan {
  return {
    names: {
      canary: 'podinfo.test',
      target: 'podinfo.test',
      apexService: 'podinfo',
      primaryService: 'podinfo-primary',
      canaryService: 'podinfo-canary',
      targetWorkload: 'podinfo',
      primaryWorkload: 'podinfo-primary',
    },
    intervalMs: 50,
    threshold: 2,
    weights: [20, 40],
    stepWeightPromotion: 0,
    skipAnalysis: false,
    suspended: false,
    progressDeadlineMs: 60_000,
    ...change,
  };
}

/**
 * A cluster in memory behind the activities' contract: it remembers what was done to it, and a
 * test decides what it answers.
 */
export class FakeCluster implements Activities {
  plan = aPlan();
  generation = 1;
  status: CanaryStatus = { phase: 'Succeeded', lastAppliedSpec: 'v1', lastPromotedSpec: 'v1' };
  revision = 'v2';
  /** Deeds in the order they were done, as short words. */
  readonly deeds: string[] = [];
  /** Texts of the events by key, so that a repeated attempt shows. */
  readonly events: string[] = [];
  /** Answers of the coming checks; when used up, checks pass. */
  readonly checks: CheckResult[] = [];
  /** Answers of the coming waits; when used up, pods are ready at once. `'wait'` blocks until cancelled. */
  readonly pods: (PodsResult | 'wait')[] = [];
  /** Errors the named activities throw, once each. */
  readonly faults: Partial<Record<keyof Activities, Error[]>> = {};
  surveyed: Survey | undefined;

  survey = async (): Promise<Survey> => {
    this.fail('survey');
    if (this.surveyed !== undefined) return Promise.resolve(this.surveyed);
    const { plan, generation, status, revision } = this;
    return Promise.resolve({
      kind: 'ready',
      plan,
      generation,
      status,
      revision,
      images: [`podinfo:${revision}`],
    });
  };

  awaitPods: Activities['awaitPods'] = async ({ role }) => {
    this.fail('awaitPods');
    const answer = this.pods.shift() ?? { ready: true };
    this.deeds.push(`await ${role}`);
    if (answer !== 'wait') return answer;
    const context = Context.current();
    const beat = setInterval(() => {
      context.heartbeat();
    }, 100);
    try {
      await context.cancelled;
    } finally {
      clearInterval(beat);
    }
    throw new Error('unreachable: cancelled rejects');
  };

  prepare: Activities['prepare'] = async ({ report }) => {
    this.do('prepare', 'prepare', report);
    return Promise.resolve({ revision: this.revision });
  };

  initialise: Activities['initialise'] = async ({ report }) =>
    this.doAsync('initialise', 'initialise', report);

  scaleUp: Activities['scaleUp'] = async ({ report }) =>
    this.doAsync('scaleUp', 'scale up', report);

  route: Activities['route'] = async ({ routes, report }) =>
    this.doAsync('route', `route ${String(routes.canary)}`, report);

  check: Activities['check'] = async ({ routes, revision, report }) => {
    this.do('check', `check ${String(routes.canary)}`, report);
    if (revision !== this.revision) {
      return Promise.resolve({ verdict: 'changed', revision: this.revision });
    }
    return Promise.resolve(this.checks.shift() ?? passed);
  };

  promote: Activities['promote'] = async ({ revision, report }) => {
    if (revision !== this.revision) {
      return Promise.resolve({ copied: false, revision: this.revision });
    }
    this.do('promote', 'promote', report);
    return Promise.resolve({ copied: true, primaryBefore: '1' });
  };

  finish: Activities['finish'] = async ({ report }) => this.doAsync('finish', 'finish', report);

  rollBack: Activities['rollBack'] = async ({ primaryBefore, report }) =>
    this.doAsync(
      'rollBack',
      primaryBefore === undefined ? 'roll back' : `roll back to ${primaryBefore}`,
      report,
    );

  tell: Activities['tell'] = async ({ report }) => this.doAsync('tell', 'tell', report);

  setImages: Activities['setImages'] = async ({ images }) => {
    const image = images['app'];
    if (image === undefined) {
      throw ApplicationFailure.nonRetryable('container: only app is known', 'InvalidSpec');
    }
    this.deeds.push(`set ${image}`);
    this.revision = image;
    return Promise.resolve({ revision: image });
  };

  private doAsync(activity: keyof Activities, deed: string, report: Report): Promise<void> {
    this.do(activity, deed, report);
    return Promise.resolve();
  }

  private do(activity: keyof Activities, deed: string, report: Report): void {
    this.fail(activity);
    this.deeds.push(deed);
    this.status = { ...this.status, ...report.status };
    const { before = [], after = [] } = report;
    this.events.push(...[...before, ...after].map(({ message }) => message));
  }

  private fail(activity: keyof Activities): void {
    const fault = this.faults[activity]?.shift();
    if (fault !== undefined) throw fault;
  }
}
