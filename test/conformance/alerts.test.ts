import { jest } from '@jest/globals';

import type { KubeObject } from '../../domain/objects.js';
import { startHookServer, type HookServer } from '../activities/hook-server.js';
import { differs, openRig, same, type App, type AppOptions, type Rig } from './rig.js';

jest.setTimeout(150_000);

let rig: Rig;
let chat: HookServer;

beforeAll(async () => {
  chat = await startHookServer();
  rig = await openRig('alerts');
}, 60_000);

afterAll(async () => {
  await rig.close();
  await chat.stop();
}, 60_000);

/** The colour and text of Slack's message. */
interface SlackMessage {
  readonly attachments: readonly {
    readonly author_name: string;
    readonly color: string;
    readonly text: string;
    readonly fields: readonly { readonly title: string; readonly value: string }[];
  }[];
}

/** An AlertProvider of an app that reaches a path of the chat. */
function providerOf(app: string): KubeObject {
  // A name, because an object literal may only hold the fields its type names.
  const provider = {
    ...{ apiVersion: 'flagger.app/v1beta1', kind: 'AlertProvider', metadata: { name: app } },
    spec: { type: 'slack', address: `${chat.url}/${app}` },
  };
  return provider;
}

function messagesOf(app: string): SlackMessage['attachments'][number][] {
  return chat.requests
    .filter(({ path }) => path === `/${app}`)
    .flatMap(({ body }) => (body as unknown as SlackMessage).attachments);
}

const told = (app: string): string[] =>
  messagesOf(app).map(({ color, text }) => `${color} ${text}`);

function factsOf(app: string, index: number): Record<string, string> {
  const { fields = [] } = messagesOf(app)[index] ?? {};
  return Object.fromEntries(fields.map(({ title, value }) => [title, value]));
}

/** An app of which all is told at the path of its name. */
function open(name: string, options: AppOptions = {}): Promise<App> {
  const alerts = [{ name: 'chat', severity: 'info', providerRef: { name } }];
  return rig.open(name, {
    ...options,
    beside: [providerOf(name)],
    analysis: { alerts, ...options.analysis },
  });
}

const untilTold = (app: App, count: number): Promise<true> =>
  app.until(`${String(count)} messages`, () =>
    Promise.resolve(told(app.canary.name).length >= count || undefined),
  );

const initialised = 'good New Deployment detected, initialization completed.';
const begun = 'good New revision detected, progressing canary analysis.';

describe('alerts', () => {
  it.concurrent(
    differs('A1', 'an alert without severity is never sent', 'it counts as info, as documented'),
    async () => {
      const alerts = [{ name: 'chat', providerRef: { name: 'unset' } }];
      const app = await open('unset', { analysis: { alerts } });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      await untilTold(app, 3);

      expect(told('unset')).toEqual([
        initialised,
        begun,
        'good Canary analysis completed successfully, promotion finished.',
      ]);
      expect(factsOf('unset', 1)).toMatchObject({
        Target: `Deployment/unset.${rig.namespace}`,
        'Failed checks threshold': '2',
        'Progress deadline': '60s',
        'Traffic routing': 'Weight step: 50 max: 50',
        Revision: (await app.status()).lastPromotedSpec,
      });
    },
  );

  it.concurrent(
    same('A2', 'two alerts for one provider, with and without its namespace, are both sent'),
    async () => {
      const providerRef = { name: 'twice' };
      const alerts = [
        { name: 'a', severity: 'info', providerRef },
        {
          name: 'b',
          severity: 'info',
          providerRef: { ...providerRef, namespace: rig.namespace },
        },
      ];
      const app = await open('twice', { analysis: { alerts } });
      await untilTold(app, 2);

      expect(told('twice')).toEqual([initialised, initialised]);
      expect(messagesOf('twice').map(({ author_name: author }) => author)).toEqual([
        `twice.${rig.namespace}`,
        `twice.${rig.namespace}`,
      ]);
    },
  );

  it.concurrent(same('A3', 'a rollback by a webhook is a warning and no error'), async () => {
    const app = await open('back', {
      hooks: [{ name: 'undo', type: 'rollback', answers: [500, 200] }],
      analysis: { stepWeight: 10, maxWeight: 90 },
    });
    await app.untilPhase('Initialized');
    await app.setImage('2');
    await app.untilPhase('Failed');
    await untilTold(app, 3);

    expect(told('back')).toEqual([initialised, begun, 'good Rolling back manual webhook invoked']);
  });

  it.concurrent(
    differs(
      'R1',
      'a rollback by a deadline sends no alert',
      'every rollback is told, with what decided',
    ),
    async () => {
      const app = await open('late', { spec: { progressDeadlineSeconds: 4 } });
      await app.untilPhase('Initialized');
      await app.setImage('2-broken');
      await app.untilPhase('Failed');
      await untilTold(app, 3);

      expect(told('late')).toEqual([
        initialised,
        begun,
        expect.stringMatching(/^danger Progress deadline exceeded .*its progress deadline$/),
      ]);
    },
  );

  it.concurrent(
    differs(
      'S13',
      'a closed traffic gate alerts with every check',
      'once for each wait, and not at all when it is muted',
    ),
    async () => {
      const app = await open('gated', {
        hooks: [{ name: 'more', type: 'confirm-traffic-increase', answers: [403, 403, 403, 200] }],
      });
      await app.untilPhase('Initialized');
      await app.setImage('2');
      await app.untilPhase('Succeeded');
      await untilTold(app, 4);

      expect(told('gated')).toEqual([
        initialised,
        begun,
        'good Canary traffic increase is waiting for approval.',
        'good Canary analysis completed successfully, promotion finished.',
      ]);
    },
  );
});
