import { jest } from '@jest/globals';

import type { AlertDelivery, EventDelivery } from '../../domain/deliveries.js';
import { silence, startHookServer, type HookServer } from '../activities/hook-server.js';
import { DeliveriesRig, type Box } from './deliveries-rig.js';

jest.setTimeout(60_000);

let rig: DeliveriesRig;
let server: HookServer;

beforeAll(async () => {
  rig = await DeliveriesRig.open();
}, 120_000);
afterAll(() => rig.close());
beforeEach(async () => {
  server = await startHookServer();
});
afterEach(() => server.stop());

/** The delivery of the event `text` to the hook `a`, or to another one. */
function told(text: string, hook = 'a', index = 0): EventDelivery {
  return {
    kind: 'event-hook',
    key: `run/${text}/${hook}`,
    hook: { name: hook, index },
    event: { type: 'Normal', message: text },
    phase: 'Progressing',
    checksum: 'c',
    at: 1_700_000_000_000,
  };
}

/** The alert `text` for an AlertProvider, or for the worker's own chat. */
function alert(text: string, name?: string): AlertDelivery {
  return {
    kind: 'alert',
    key: `run/${text}/alert/${name ?? ''}`,
    ...(name === undefined ? {} : { provider: { namespace: 'test', name } }),
    alert: { severity: 'error', message: text, facts: [] },
    at: 1_700_000_000_000,
  };
}

const byHook = (a: { readonly hook: string }, b: { readonly hook: string }): number =>
  a.hook < b.hook ? -1 : 1;

/** What the history holds, readable. */
async function payloadsOf(box: Box): Promise<string> {
  const found = [...(await box.history()).matchAll(/"data":"([^"]*)"/g)];
  return found.map(([, data = '']) => Buffer.from(data, 'base64').toString()).join();
}

const messages = (path = '/a'): (string | undefined)[] =>
  server.requests
    .filter((request) => request.path === path)
    .map(({ body }) => body.metadata?.['eventMessage']);

it('delivers in order, ends with its journal, and replays', async () => {
  const box = rig.box();
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];

  await box.add(told('one'), told('two'));
  await box.add(told('three'));

  const journal = await box.result();
  expect(journal.map(({ at: _, ...record }) => record)).toEqual(
    ['one', 'two', 'three'].map((event) => ({
      ...{ key: `run/${event}/a`, hook: 'a', event, outcome: 'delivered', attempts: 1 },
    })),
  );
  expect(server.requests[0]).toMatchObject({
    headers: { 'idempotency-key': 'run/one/a' },
    body: {
      name: box.canary.name,
      namespace: 'test',
      phase: 'Progressing',
      checksum: 'c',
      metadata: { eventMessage: 'one', eventType: 'Normal', timestamp: '1700000000000' },
    },
  });
  expect(messages()).toEqual(['one', 'two', 'three']);
  expect(await box.history()).not.toMatch(/"continuedExecutionRunId":"[^"]/);
  await rig.replay(box);
});

it('tries again, and keeps the order meanwhile', async () => {
  const box = rig.box();
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];
  server.answer(500, 404);

  await box.add(told('one'), told('two'));

  const journal = await box.result();
  expect(journal.map(({ event, attempts }) => [event, attempts])).toEqual([
    ['one', 3],
    ['two', 1],
  ]);
  expect(messages()).toEqual(['one', 'one', 'one', 'two']);
});

it('delivers once what is handed over twice', async () => {
  const box = rig.box({ lingerMs: 1_000 });
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];

  await box.add(told('one'), told('two'));
  await box.until(2);
  await box.add(told('one'), told('three'));

  expect((await box.result()).map(({ event }) => event)).toEqual(['one', 'two', 'three']);
  expect(messages()).toEqual(['one', 'two', 'three']);
});

it('remembers what it has delivered for as long as it is handed over again', async () => {
  const box = rig.box({ lingerMs: 1_500 });
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];

  // As an activity does that fails with every attempt; in all longer than an outbox stays open.
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await box.add(told('one'));
    await new Promise((go) => setTimeout(go, 500));
  }

  expect((await box.result()).map(({ event }) => event)).toEqual(['one']);
  expect(messages()).toEqual(['one']);
  await rig.replay(box);
});

it('delivers alerts beside events, each provider for itself', async () => {
  const box = rig.box({ attempts: 2 });
  box.providers = { chat: `${server.url}/chat?sig=planted`, down: `${server.url}/down` };
  server.answerAt('/down', 500);

  await box.add(alert('one', 'down'), alert('one', 'chat'), alert('one'), alert('one', 'chat'));

  const journal = await box.result();
  expect(journal.map(({ at: _, key: __, ...record }) => record).sort(byHook)).toEqual([
    { hook: 'alert provider chat.test', event: 'one', outcome: 'delivered', attempts: 1 },
    {
      ...{ hook: 'alert provider down.test', event: 'one', outcome: 'given-up', attempts: 2 },
      fault: 'HTTP 500',
    },
    { hook: 'alerts', event: 'one', outcome: 'dropped', attempts: 1 },
  ]);
  expect(server.paths.filter((path) => path.startsWith('/chat'))).toHaveLength(1);
  expect(await payloadsOf(box)).toContain('"one"');
  expect(await payloadsOf(box)).not.toMatch(/planted|127\.0\.0\.1/);
  await rig.replay(box);
});

it('does not let one hook wait for another', async () => {
  const box = rig.box();
  box.hooks = [
    { name: 'a', url: `${server.url}/a` },
    { name: 'b', url: `${server.url}/b` },
  ];
  server.answerAt('/a', 500);

  await box.add(told('one'), told('one', 'b', 1), told('two'), told('two', 'b', 1));
  const journal = await box.until(2);
  server.answerAt('/a', 200);

  expect(journal.map(({ hook, event }) => [hook, event])).toEqual([
    ['b', 'one'],
    ['b', 'two'],
  ]);
  expect((await box.result()).slice(2).map(({ hook, event }) => [hook, event])).toEqual([
    ['a', 'one'],
    ['a', 'two'],
  ]);
});

it('gives up after some attempts, says why without the address, and goes on', async () => {
  const box = rig.box({ attempts: 3 });
  box.hooks = [{ name: 'a', url: `${server.url}/a?token=planted` }];
  server.answerAt('/a?token=planted', { status: 500, body: 'planted body' });

  await box.add(told('one'));
  expect(await box.until(1)).toEqual([
    expect.objectContaining({ outcome: 'given-up', attempts: 3, fault: 'HTTP 500' }),
  ]);
  await box.add(told('two'));
  const journal = await box.result();

  // The endpoint is known to be down by then.
  expect(journal[1]).toMatchObject({ event: 'two', outcome: 'given-up', attempts: 2 });
  const history = await box.history();
  expect(history).toContain('HTTP 500');
  expect(Buffer.from(history).toString()).not.toMatch(/planted|127\.0\.0\.1/);
  const payloads = [...history.matchAll(/"data":"([^"]*)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  expect(payloads.join()).toContain('"two"');
  expect(payloads.join()).not.toMatch(/planted|127\.0\.0\.1/);
});

it('drops what there is nobody any more to deliver to', async () => {
  const box = rig.box();

  await box.add(told('one'));

  expect(await box.result()).toEqual([
    expect.objectContaining({ event: 'one', hook: 'a', outcome: 'dropped' }),
  ]);
});

it('survives its worker', async () => {
  const box = rig.box();
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];
  server.answer(silence);

  await box.add(told('one'), told('two'));
  await rig.stopWorker();
  await rig.startWorker();

  expect((await box.result()).map(({ event, outcome }) => [event, outcome])).toEqual([
    ['one', 'delivered'],
    ['two', 'delivered'],
  ]);
  expect(messages().slice(-2)).toEqual(['one', 'two']);
  await rig.replay(box);
});

it('goes on in a fresh run that remembers what was delivered', async () => {
  const box = rig.box({ maxEvents: 15, lingerMs: 1_000 });
  box.hooks = [{ name: 'a', url: `${server.url}/a` }];
  const events = Array.from({ length: 9 }, (_, n) => `event ${n}`);

  for (const event of events) {
    await box.add(told(event), told('the same'));
    await box.until(1);
  }
  const journal = await box.result();

  const delivered = ['event 0', 'the same', ...events.slice(1)];
  expect(journal.map(({ event }) => event)).toEqual(delivered);
  expect(messages()).toEqual(delivered);
  expect(await box.history()).toMatch(/"continuedExecutionRunId":"[^"]/);
});

it('is known to the command line, from outboxes that are closed and the one that is open', async () => {
  const box = rig.box();
  box.hooks = [
    { name: 'a', url: `${server.url}/a` },
    { name: 'b', url: `${server.url}/b` },
  ];
  server.answerAt('/b', 500);
  await box.add(told('one'));
  await box.result();
  await box.add(told('two', 'b', 1), told('three'));

  const events = async (): Promise<string[]> => (await box.known()).map(({ event }) => event);
  // The list of runs may be a second behind.
  while ((await events()).length < 2) await new Promise((go) => setTimeout(go, 100));
  expect(await events()).toEqual(['one', 'three']);
  server.answerAt('/b', 200);
  await box.result();
});
