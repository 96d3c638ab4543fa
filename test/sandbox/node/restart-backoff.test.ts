import { delayText, nextBackoff } from '../../../sandbox/node/restart-backoff.js';
import type { Backoff } from '../../../sandbox/node/restart-backoff.js';

describe('nextBackoff', () => {
  it('restarts the first time at once, then waits 10 s doubling up to 5 min', () => {
    const waits: number[] = [];
    let backoff: Backoff | undefined;
    let nowMs = 0;
    for (let crash = 0; crash < 8; crash++) {
      const next = nextBackoff(backoff, nowMs);
      waits.push(next.waitMs / 1000);
      backoff = next.backoff;
      nowMs += next.waitMs + 1000;
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  it('starts over after the container ran for more than ten minutes', () => {
    const backoff = { delayMs: 300_000, updatedAtMs: 0 };
    expect(nextBackoff(backoff, 599_000).waitMs).toBe(300_000);
    expect(nextBackoff(backoff, 601_000).waitMs).toBe(0);
  });
});

it.each([
  [10_000, '10s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
])('writes %d ms as %s', (delayMs, text) => {
  expect(delayText(delayMs)).toBe(text);
});
