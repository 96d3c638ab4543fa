import { notifiers, type NotifierType } from '../../../activities/notifiers/index.js';
import type { Message, NotifierConfig } from '../../../activities/notifiers/notifier.js';

const message: Message = {
  severity: 'info',
  text: 'Canary analysis completed.',
  canary: { name: 'podinfo', namespace: 'test' },
  title: 'podinfo.test',
  facts: [
    { name: 'Cluster', value: 'eu-1' },
    { name: 'Target', value: 'Deployment/podinfo.test' },
  ],
  at: 1_700_000_000_000,
};

const config: NotifierConfig = {
  address: new URL('https://chat.test/hooks/1'),
  channel: 'general',
  username: 'flagger',
};

/** The body as it is sent; its keys are compared in order. */
function bodyOf(type: NotifierType, change: Partial<Message> = {}, of = config): string {
  return JSON.stringify(notifiers[type].request({ ...message, ...change }, of).json, null, 1);
}

function text(body: object): string {
  return JSON.stringify(body, null, 1);
}

const facts = [
  { name: 'Cluster', value: 'eu-1' },
  { name: 'Target', value: 'Deployment/podinfo.test' },
];

describe.each([
  ['slack', 'good', 'danger'],
  ['discord', 'good', 'danger'],
  ['rocket', '#0076D7', '#FF0000'],
] as const)('%s', (type, good, bad) => {
  const body = (color: string, fields: object[]): object => ({
    channel: 'general',
    username: 'flagger',
    icon_url: '',
    icon_emoji: ':rocket:',
    attachments: [
      {
        color,
        author_name: 'podinfo.test',
        text: 'Canary analysis completed.',
        mrkdwn_in: ['text'],
        fields,
      },
    ],
  });
  const fields = facts.map(({ name, value }) => ({ title: name, value, short: false }));

  it.each([
    ['info', good],
    ['warn', good],
    ['error', bad],
  ] as const)('gets the attachment of %s', (severity, color) => {
    expect(bodyOf(type, { severity })).toBe(text(body(color, fields)));
  });

  it('gets an empty list where there are no fields', () => {
    expect(bodyOf(type, { facts: [] })).toBe(text(body(good, [])));
  });
});

describe('msteams', () => {
  const card = (themeColor: string): object => ({
    '@type': 'MessageCard',
    '@context': 'http://schema.org/extensions',
    themeColor,
    summary: 'podinfo.test',
    sections: [
      {
        activityTitle: 'Canary analysis completed.',
        activitySubtitle: 'podinfo.test',
        facts,
      },
    ],
  });

  it.each([
    ['info', '0076D7'],
    ['warn', '0076D7'],
    ['error', 'FF0000'],
  ] as const)('gets the card of connectors of %s', (severity, color) => {
    expect(bodyOf('msteams', { severity })).toBe(text(card(color)));
  });

  const adaptive = (color: string): object => ({
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.2',
          msteams: { width: 'Full' },
          body: [
            {
              type: 'TextBlock',
              text: 'Canary analysis completed.',
              weight: 'bolder',
              color,
              wrap: true,
            },
            {
              type: 'TextBlock',
              text: 'podinfo.test',
              isSubtle: true,
              spacing: 'none',
              wrap: true,
            },
            {
              type: 'FactSet',
              facts: facts.map(({ name, value }) => ({ title: name, value })),
            },
          ],
        },
      },
    ],
  });

  it.each([
    ['info', 'accent'],
    ['warn', 'warning'],
    ['error', 'attention'],
  ] as const)('gets the card of workflows of %s', (severity, color) => {
    const workflow = { ...config, teamsFormat: 'workflow' } as const;
    expect(bodyOf('msteams', { severity }, workflow)).toBe(text(adaptive(color)));
  });

  it.each([
    ['https://example.webhook.office.com/webhookb2/1', undefined, 'MessageCard'],
    ['https://prod-01.westeurope.logic.azure.com:443/workflows/1?sig=a', undefined, 'message'],
    ['https://default1.2.environment.api.powerplatform.com:443/w/1?sig=a', undefined, 'message'],
    ['https://api.powerplatform.com/w/1', undefined, 'message'],
    ['https://relay.example.com/logic.azure.com', undefined, 'MessageCard'],
    ['https://notlogic.azure.com.example.com/', undefined, 'MessageCard'],
    ['https://relay.example.com/', 'workflow', 'message'],
    ['https://prod-01.westeurope.logic.azure.com/1', 'connector', 'MessageCard'],
  ] as const)('at %s, with format %s, gets a %s', (address, teamsFormat, kind) => {
    const of = {
      ...config,
      address: new URL(address),
      ...(teamsFormat === undefined ? {} : { teamsFormat }),
    };
    const body = JSON.parse(bodyOf('msteams', {}, of)) as Record<string, unknown>;
    expect(body['@type'] ?? body['type']).toBe(kind);
  });
});

describe('gchat', () => {
  const paragraph = (content: string): object => ({
    widgets: [{ textParagraph: { text: content } }],
  });
  const strong = (content: string): string => `<font color="#848484"><b>${content}</b></font>`;

  it.each(['info', 'warn', 'error'] as const)('gets the same card of %s', (severity) => {
    expect(bodyOf('gchat', { severity })).toBe(
      text({
        cards: [
          {
            header: {
              title: 'Flagger',
              subtitle: 'podinfo.test',
              imageUrl: 'https://flagger.app/favicon.png',
            },
            sections: [
              paragraph(strong('Canary analysis completed.')),
              paragraph(`Cluster<br>${strong('eu-1')}`),
              paragraph(`Target<br>${strong('Deployment/podinfo.test')}`),
            ],
          },
        ],
      }),
    );
  });
});

it('webhook gets everything in plain JSON', () => {
  expect(bodyOf('webhook', { severity: 'warn' })).toBe(
    text({
      name: 'podinfo',
      namespace: 'test',
      severity: 'warn',
      message: 'Canary analysis completed.',
      timestamp: '2023-11-14T22:13:20.000Z',
      fields: facts,
    }),
  );
});

describe('what a service takes for markup', () => {
  const tricky = {
    text: 'as <!channel> asked & promoted',
    facts: [{ name: 'Threshold', value: '<= 500ms' }],
  };

  it.each(['slack', 'gchat'] as const)('is escaped for %s', (type) => {
    const body = bodyOf(type, tricky);
    expect(body).toContain('as &lt;!channel&gt; asked &amp; promoted');
    expect(body).toContain('&lt;= 500ms');
  });

  it.each(['discord', 'rocket', 'msteams', 'webhook'] as const)('is left to %s', (type) => {
    const body = bodyOf(type, tricky);
    expect(body).toContain('as <!channel> asked & promoted');
    expect(body).toContain('<= 500ms');
  });
});

it.each([
  ['slack', 'Bearer planted'],
  ['webhook', 'Bearer planted'],
  ['discord', undefined],
  ['rocket', undefined],
  ['msteams', undefined],
  ['gchat', undefined],
] as const)('%s is shown the token: %s', (type, authorization) => {
  const { headers, json } = notifiers[type].request(message, { ...config, token: 'planted' });
  expect(headers?.['Authorization']).toBe(authorization);
  expect(JSON.stringify(json)).not.toContain('planted');
});

it.each([
  ['https://discord.test/api/webhooks/1/a', 'https://discord.test/api/webhooks/1/a/slack'],
  ['https://discord.test/api/webhooks/1/a/', 'https://discord.test/api/webhooks/1/a/slack'],
  ['https://discord.test/api//webhooks/1/a', 'https://discord.test/api/webhooks/1/a/slack'],
  ['https://discord.test/api/webhooks/1/a/slack', 'https://discord.test/api/webhooks/1/a/slack'],
  [
    'https://discord.test/api/webhooks/1/a?wait=true',
    'https://discord.test/api/webhooks/1/a/slack?wait=true',
  ],
  [
    'https://discord.test/api/webhooks/1/a/slack?wait=true',
    'https://discord.test/api/webhooks/1/a/slack?wait=true',
  ],
])('discord at %s is called at %s', (address, url) => {
  const of = { ...config, address: new URL(address) };
  expect(notifiers.discord.request(message, of).url.href).toBe(url);
});

it.each(['slack', 'rocket', 'msteams', 'gchat', 'webhook'] as const)(
  '%s is called at the address as it is',
  (type) => {
    const address = new URL('https://chat.test/a//b/?key=1&token=2');
    expect(notifiers[type].request(message, { ...config, address }).url.href).toBe(address.href);
  },
);
