import { setTimeout as sleep } from 'node:timers/promises';

import { workQueue } from '../../worker/work-queue.js';

it('never works on a key twice at once, and again when it was added meanwhile', async () => {
  const running = new Set<string>();
  const done: string[] = [];
  const queue = workQueue({
    concurrency: 2,
    failed: () => undefined,
    work: async (key) => {
      expect(running.has(key)).toBe(false);
      running.add(key);
      expect(running.size).toBeLessThanOrEqual(2);
      await sleep(5);
      running.delete(key);
      done.push(key);
    },
  });
  for (const key of ['a', 'a', 'b', 'c', 'a']) queue.add(key);
  await sleep(2);
  queue.add('a');
  queue.add('a');
  await sleep(40);
  await queue.stop();
  expect(done.sort()).toEqual(['a', 'a', 'b', 'c']);
});

it('repeats what fails with growing delays, until it succeeds', async () => {
  const delays: number[] = [];
  let failures = 3;
  const finished = new Promise<void>((resolve) => {
    const queue = workQueue({
      concurrency: 1,
      minDelayMs: 1,
      maxDelayMs: 3,
      failed: (_key, _error, retryInMs) => delays.push(retryInMs),
      work: () => {
        failures -= 1;
        if (failures >= 0) return Promise.reject(new Error('no'));
        resolve();
        return Promise.resolve();
      },
    });
    queue.add('a');
  });
  await finished;
  expect(delays).toEqual([1, 2, 3]);
});

it('waits for the work under way when it stops, and starts no more', async () => {
  const done: string[] = [];
  const queue = workQueue({
    concurrency: 1,
    failed: () => undefined,
    work: async (key) => {
      await sleep(10);
      done.push(key);
    },
  });
  queue.add('a');
  queue.add('b');
  await sleep(1);
  await queue.stop();
  queue.add('c');
  expect(done).toEqual(['a']);
});
