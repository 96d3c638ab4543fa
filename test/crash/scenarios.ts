import type { Phase } from '../../domain/canary.js';
import type { HookReply } from '../activities/hook-server.js';
import type { AppOptions } from '../conformance/manifests.js';

/** What is done with an app; every side effect of it is once the last thing a worker does. */
export interface Scenario {
  /** The change it begins with: the app itself is new, or its image. */
  readonly change: 'app' | 'image';
  /** Whether the API server refuses the primary's pods of the new image. */
  readonly isRefusedByPrimary?: true;
  /** What webhooks answer, by their names; 200 by default. */
  readonly answers: Readonly<Record<string, HookReply>>;
  /** Where it ends. */
  readonly phase: Phase;
  /** The last that people are told of it; see `plain`. */
  readonly lastAlert: string;
}

/** The last that people are told of an initialisation. */
export const initialisedAlert = 'info New Deployment detected, initialization completed.';

export const scenarios = {
  initialisation: {
    change: 'app',
    answers: {},
    phase: 'Initialized',
    lastAlert: initialisedAlert,
  },
  promotion: {
    change: 'image',
    answers: { undo: 403 },
    phase: 'Succeeded',
    lastAlert: 'info Canary analysis completed successfully, promotion finished.',
  },
  rollback: {
    change: 'image',
    answers: { undo: 403, load: 500 },
    phase: 'Failed',
    lastAlert: 'error Failed checks threshold reached 2',
  },
  failedPromotion: {
    change: 'image',
    isRefusedByPrimary: true,
    answers: { undo: 403 },
    phase: 'Failed',
    lastAlert:
      'error Promotion failed, primary not ready: app-primary.test not ready: ' +
      'deployment "app-primary" exceeded its progress deadline',
  },
} as const satisfies Record<string, Scenario>;

/** What all apps are like: a webhook of each type, two steps up, two steps over to the primary. */
export const options = {
  hooks: [
    { name: 'confirm', type: 'confirm-rollout' },
    { name: 'before', type: 'pre-rollout' },
    { name: 'load', type: 'rollout' },
    { name: 'more', type: 'confirm-traffic-increase' },
    { name: 'promote', type: 'confirm-promotion' },
    { name: 'undo', type: 'rollback' },
    { name: 'after', type: 'post-rollout' },
    { name: 'listen', type: 'event' },
  ],
  analysis: { threshold: 2, stepWeights: [50, 100], stepWeightPromotion: 50 },
} as const satisfies AppOptions;

/** Whether an effect happens or not depends on how fast pods start. */
export function dependsOnPods(text: string): boolean {
  return text.includes('waiting for rollout to finish');
}
