import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

import type { Activities } from '../../activities/contract.js';
import type { CanaryStatus, Gate } from '../../domain/canary.js';
import { closedStatus } from '../../domain/gates.js';
import type { Report } from '../../domain/moves.js';
import type { CanaryRef, CheckResult, Plan, PodsResult, Survey } from '../../domain/release.js';
import type { Strategy } from '../../domain/strategies/strategy.js';

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

/** A weighted canary of these weights. */
export function inWeights(...weights: readonly number[]): Strategy {
  return { kind: 'weighted', weights, mirror: false };
}

/** A gate that only a person opens. */
export function aGate(before: Gate['before'], change: Partial<Gate> = {}): Gate {
  return { name: `before-${before}`, before, approvers: [], onTimeout: 'reject', ...change };
}

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
    generation: 1,
    targetKind: 'Deployment',
    intervalMs: 50,
    threshold: 2,
    strategy: inWeights(20, 40),
    stepWeightPromotion: 0,
    skipAnalysis: false,
    suspended: false,
    progressDeadlineMs: 60_000,
    hooks: {},
    gates: [],
    onFailure: 'rollback',
    onNewRevision: 'restart',
    warnings: [],
    ...change,
  };
}

/**
 * A cluster in memory behind the activities' contract: it remembers what was done to it, and a
 * test decides what it answers.
 */
export class FakeCluster implements Activities {
  plan = aPlan();
  status: CanaryStatus = {
    phase: 'Succeeded',
    lastAppliedSpec: 'v1',
    lastPromotedSpec: 'v1',
    observedGeneration: 1,
  };
  revision = 'v2';
  /** Deeds in the order they were done, as short words. */
  readonly deeds: string[] = [];
  /** Texts of the events by key, so that a repeated attempt shows. */
  readonly events: string[] = [];
  /** Answers of the coming checks behind the first step; when used up, checks pass. */
  readonly checks: CheckResult[] = [];
  /** Answers of the coming waits; when used up, pods are ready at once. `'wait'` blocks until cancelled. */
  readonly pods: (PodsResult | 'wait')[] = [];
  /** Whether the webhooks before the rollout do not agree yet. */
  gateClosed = false;
  /** Errors the named activities throw, once each. */
  readonly faults: Partial<Record<keyof Activities, Error[]>> = {};
  surveyed: Survey | undefined;

  survey = async (): Promise<Survey> => {
    this.fail('survey');
    if (this.surveyed !== undefined) return Promise.resolve(this.surveyed);
    const { plan, status, revision } = this;
    return Promise.resolve({
      kind: 'ready',
      plan,
      status,
      revision,
      images: [`podinfo:${revision}`],
    });
  };

  awaitPods: Activities['awaitPods'] = async ({ role }) => {
    this.fail('awaitPods');
    const answer = this.pods.shift() ?? { ready: true };
    this.deeds.push(`await ${role}`);
    return answer === 'wait' ? untilCancelled() : answer;
  };

  awaitGate: Activities['awaitGate'] = async ({ report }) => {
    this.do('awaitGate', 'ask', report);
    while (this.gateClosed) {
      Context.current().heartbeat();
      await Context.current().sleep(50);
    }
  };

  prepare: Activities['prepare'] = async ({ report }) => {
    this.do('prepare', 'prepare', report);
    return Promise.resolve({ revision: this.revision });
  };

  initialise: Activities['initialise'] = async ({ report }) =>
    this.doAsync('initialise', 'initialise', report);

  reconcile: Activities['reconcile'] = async ({ report }) =>
    this.doAsync('reconcile', 'reconcile', report);

  recover: Activities['recover'] = async ({ report }) => this.doAsync('recover', 'recover', report);

  scaleUp: Activities['scaleUp'] = async ({ report }) =>
    this.doAsync('scaleUp', 'scale up', report);

  route: Activities['route'] = async ({ routes, revision = this.revision, report }) => {
    if (revision !== this.revision) {
      return Promise.resolve({ revision: this.revision });
    }
    this.do('route', `route ${String(routes.canary)}`, report);
    return Promise.resolve(undefined);
  };

  check: Activities['check'] = async ({ routes, revision, report, hooks, then }) => {
    this.do('check', `check ${String(routes.canary)}`, report);
    if (revision !== this.revision) {
      return Promise.resolve({ verdict: 'changed', revision: this.revision });
    }
    // Before there is traffic there is nothing to measure.
    const result = (hooks === 'rollout' ? this.checks.shift() : undefined) ?? passed;
    if (result.verdict !== 'passed') return Promise.resolve(result);
    if (result.closed !== undefined && then.gates.includes(result.closed.type)) {
      this.tellOf({ key: '', status: then.told === undefined ? closedStatus(result.closed) : {} });
      return Promise.resolve(result);
    }
    const { closed, ...open } = result;
    if (then.step !== undefined) {
      this.do('route', `route ${String(then.step.routes.canary)}`, then.step.report);
    }
    return Promise.resolve(open);
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

  putBack: Activities['putBack'] = async ({ revision, report }) => {
    this.do('putBack', `put back ${revision}`, report);
    this.revision = revision;
    return Promise.resolve();
  };

  conclude: Activities['conclude'] = async ({ report }) =>
    this.doAsync('conclude', 'conclude', report);

  revert: Activities['revert'] = async ({ report }) => this.doAsync('revert', 'revert', report);

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
    this.tellOf(report);
  }

  private tellOf({ status, before = [], after = [] }: Report): void {
    this.status = { ...this.status, ...status };
    this.events.push(...[...before, ...after].map(({ message }) => message));
  }

  private fail(activity: keyof Activities): void {
    const fault = this.faults[activity]?.shift();
    if (fault !== undefined) throw fault;
  }
}

/**
 * The activities of many fake clusters as one set, for one worker.
 *
 * @param of finds the cluster an activity is meant for
 */
export function activitiesOf(of: (canary: CanaryRef) => FakeCluster): Activities {
  const names = Object.entries(new FakeCluster()).flatMap(([name, member]) =>
    typeof member === 'function' ? [name as keyof Activities] : [],
  );
  const call =
    (name: keyof Activities) =>
    (input: { readonly canary: CanaryRef }): Promise<unknown> =>
      (of(input.canary)[name] as (input: unknown) => Promise<unknown>)(input);
  return Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Activities;
}

/** Blocks as a wait for something that never comes does. */
async function untilCancelled(): Promise<never> {
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
}
