import type { HookType, Phase, Webhook } from '../../domain/canary.js';
import { laneOf, recordOf, type EventDelivery } from '../../domain/deliveries.js';
import { eventHookNamed, eventHooksOf, ownEventHook } from '../../domain/event-hooks.js';
import {
  eventMetadata,
  hookTexts,
  isLasting,
  mayPass,
  pauseAfter,
  payloadOf,
  phaseTold,
  timeoutOf,
} from '../../domain/hooks.js';
import type { KubeObject } from '../../domain/objects.js';

const names = {
  canary: 'podinfo.test',
  target: 'podinfo.test',
  apexService: 'podinfo',
  primaryService: 'podinfo-primary',
  canaryService: 'podinfo-canary',
  targetWorkload: 'podinfo',
  primaryWorkload: 'podinfo-primary',
};

describe('a payload', () => {
  const canary = { name: 'podinfo', namespace: 'test' };
  const state = { phase: 'Progressing', checksum: 'c' } as const;

  it('has the metadata of its hook', () => {
    expect(payloadOf(canary, { metadata: { team: 'a' } }, state)).toEqual({
      ...{ name: 'podinfo', namespace: 'test', phase: 'Progressing', checksum: 'c' },
      metadata: { team: 'a' },
    });
  });

  it('leaves out metadata there is none of', () => {
    expect(payloadOf(canary, { metadata: {} }, state)).not.toHaveProperty('metadata');
  });

  it('tells of an event, which the metadata of the hook cannot hide', () => {
    const metadata = { team: 'a', eventType: 'mine' };
    const event = { type: 'Warning', message: 'Halt' } as const;
    expect(eventMetadata({ metadata }, event, 1_700_000_000_123)).toEqual({
      team: 'a',
      eventMessage: 'Halt',
      eventType: 'Warning',
      timestamp: '1700000000123',
    });
  });
});

it.each<[string, Phase, Phase]>([
  ['New revision detected! Scaling up podinfo.test', 'Succeeded', 'Progressing'],
  [
    'New revision detected! Restarting analysis for podinfo.test',
    'WaitingPromotion',
    'WaitingPromotion',
  ],
  ['Canary failed! Scaling down podinfo.test', 'Progressing', 'Failed'],
  ['Promotion completed! Scaling down podinfo.test', 'Finalising', 'Succeeded'],
  ['Promotion completed! Canary analysis was skipped for podinfo.test', 'Progressing', 'Succeeded'],
  ['Initialization done! podinfo.test', 'Initializing', 'Initialized'],
  ['Advance podinfo.test primary weight 100', 'Promoting', 'Promoting'],
  ['Confirm-rollout check gate passed', 'Initialized', 'Initialized'],
])('tells of "%s" in phase %s as of phase %s', (message, phase, told) => {
  expect(phaseTold({ type: 'Normal', message }, phase)).toBe(told);
});

it.each<[string, number | undefined]>([
  ['', undefined],
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['100us', 1],
  ['1000000h', 86_400_000],
  ['0s', undefined],
  ['-5s', undefined],
  ['ten seconds', undefined],
])('reads the time-out "%s"', (timeout, ms) => {
  expect(timeoutOf({ timeout })).toBe(ms);
});

it.each([
  [429, true],
  [500, true],
  [502, true],
  [503, true],
  [501, false],
  [400, false],
  [404, false],
  [302, false],
  [200, false],
])('%d may be answered otherwise later: %s', (status, expected) => {
  expect(mayPass(status)).toBe(expected);
});

it.each([
  ['ECONNREFUSED', false],
  ['ECONNRESET', false],
  ['ETIMEDOUT', false],
  ['ENOTFOUND', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
  ['SELF_SIGNED_CERT_IN_CHAIN', true],
  ['CERT_HAS_EXPIRED', true],
  ['ERR_TLS_CERT_ALTNAME_INVALID', true],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
  ['ERR_FR_TOO_MANY_REDIRECTS', true],
])('a connection that failed with %s fails again: %s', (code, expected) => {
  expect(isLasting(code)).toBe(expected);
});

describe('the pause before another attempt', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');

  it('doubles up to half a minute', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 50].map((n) => pauseAfter(n, undefined, now) / 1_000);
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Tue, 01 Jan 2030 00:00:12 GMT', 12_000],
    ['Mon, 31 Dec 2029 23:00:00 GMT', 0],
    ['86400', 300_000],
    ['soon', 4_000],
  ])('is what the server asks for with "%s"', (retryAfter, ms) => {
    expect(pauseAfter(3, retryAfter, now)).toBe(ms);
  });
});

describe('the sentences', () => {
  it.each<[HookType, string]>([
    ['confirm-rollout', 'Normal Confirm-rollout check gate passed'],
    ['pre-rollout', 'Normal Pre-rollout check gate passed'],
    ['confirm-traffic-increase', 'Normal Confirm-traffic-increase check gate passed'],
    ['confirm-promotion', 'Normal Confirm-promotion check gate passed'],
    ['post-rollout', 'Normal Post-rollout check gate passed'],
    ['rollback', 'Warning Rollback check gate passed'],
  ])('tell that a hook of type %s agrees', (type, expected) => {
    const { type: kind, message } = hookTexts.passed(type, 'gate');
    expect(`${kind} ${message}`).toBe(expected);
  });

  it.each<[HookType, string]>([
    ['confirm-rollout', 'Halt podinfo.test advancement waiting for approval gate'],
    [
      'confirm-traffic-increase',
      'Halt podinfo.test advancement waiting for traffic increase approval gate',
    ],
    ['confirm-promotion', 'Halt podinfo.test advancement waiting for promotion approval gate'],
  ])('tell that a gate of type %s is closed', (type, message) => {
    expect(hookTexts.closed(names, type, 'gate')).toEqual({ type: 'Warning', message });
  });

  it.each<[HookType, string]>([
    ['pre-rollout', 'Halt podinfo.test advancement pre-rollout check smoke failed why'],
    ['rollout', 'Halt podinfo.test advancement external check smoke failed why'],
  ])('tell that a hook of type %s has failed', (type, message) => {
    expect(hookTexts.failed(names, type, 'smoke', 'why')).toBe(message);
  });
});

describe('the event webhooks of a manifest', () => {
  const manifest = (webhooks?: unknown): KubeObject => ({
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo', namespace: 'test' },
    spec: { analysis: { webhooks } },
  });
  const url = 'http://hooks.test';
  const expected: Webhook = {
    type: 'event',
    name: 'all',
    url,
    timeout: '10s',
    retries: 0,
    muteAlert: false,
    disableTls: false,
    metadata: {},
  };

  it('are those of type event, with their places among all', () => {
    const hooks = [
      { name: 'smoke', url },
      { name: 'all', url, type: 'event' },
      { name: 'post', url, type: 'post-rollout' },
      { name: 'more', url, type: 'event', timeout: '3s', disableTLS: true, metadata: { a: 'b' } },
    ];
    const more = { name: 'more', timeout: '3s', disableTls: true, metadata: { a: 'b' } };
    expect(eventHooksOf(manifest(hooks))).toEqual([
      { index: 1, hook: expected },
      { index: 3, hook: { ...expected, ...more } },
    ]);
  });

  it('are found under the old name of the analysis too', () => {
    const hooks = [{ name: 'all', url, type: 'event' }];
    const old = { ...manifest(), spec: { canaryAnalysis: { webhooks: hooks } } };
    expect(eventHooksOf(old)).toEqual([{ index: 0, hook: expected }]);
  });

  it.each<[string, KubeObject]>([
    ['without any', manifest()],
    ['without an analysis', { ...manifest(), spec: {} }],
    ['without a spec', { apiVersion: 'v1', kind: 'Canary', metadata: { name: 'podinfo' } }],
  ])('are none %s', (_, of) => {
    expect(eventHooksOf(of)).toEqual([]);
  });

  it('are found by name, of several by their place', () => {
    const twins = manifest([
      { name: 'a', url: 'http://one', type: 'event' },
      { name: 'a', url: 'http://two', type: 'event' },
    ]);
    const urlOf = (name: string, index: number) => eventHookNamed(twins, { name, index })?.hook.url;
    expect([urlOf('a', 0), urlOf('a', 1), urlOf('a', 7), urlOf('b', 0)]).toEqual([
      ...['http://one', 'http://two', 'http://one'],
      undefined,
    ]);
  });

  it('include no one of the worker', () => {
    expect(ownEventHook(url)).toEqual({ ...expected, name: '' });
  });
});

describe('deliveries', () => {
  const delivery: EventDelivery = {
    kind: 'event-hook',
    key: 'run/1/before/0/0',
    event: { type: 'Normal', message: 'm'.repeat(1_000) },
    phase: 'Progressing',
    checksum: 'c',
    at: 1,
  };

  it('are in order for one hook, and do not wait for those of another', () => {
    const lanes = [
      delivery,
      { ...delivery, hook: { name: 'a', index: 0 } },
      { ...delivery, hook: { name: 'a', index: 1 } },
      { ...delivery, hook: { name: 'a', index: 1 }, key: 'other' },
    ].map(laneOf);
    expect(new Set(lanes).size).toBe(3);
    expect(lanes[2]).toBe(lanes[3]);
  });

  it('are on record by the beginning of what they told', () => {
    const record = recordOf(delivery, { outcome: 'delivered', attempts: 1, at: 2 });
    expect(record).toEqual({
      key: 'run/1/before/0/0',
      hook: 'event-webhook',
      event: 'm'.repeat(200),
      outcome: 'delivered',
      attempts: 1,
      at: 2,
    });
  });
});
