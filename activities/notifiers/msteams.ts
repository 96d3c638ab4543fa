import type { Message, Notifier, NotifierConfig, TeamsFormat } from './notifier.js';

/** Microsoft Teams: a workflow of Power Automate, or one of the connectors it takes the place of. */
export const msteams: Notifier = {
  request: (message, config) => ({
    url: config.address,
    json: formatOf(config) === 'workflow' ? workflowCard(message) : connectorCard(message),
  }),
};

/**
 * Where workflows are called; they take no card but their own:
 * https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
const workflowHosts = /(^|\.)(logic\.azure\.com|api\.powerplatform\.com)$/;

function formatOf({ address, teamsFormat }: NotifierConfig): TeamsFormat {
  return teamsFormat ?? (workflowHosts.test(address.hostname) ? 'workflow' : 'connector');
}

/** https://learn.microsoft.com/en-us/outlook/actionable-messages/message-card-reference */
function connectorCard({ severity, text, title, facts }: Message): object {
  return {
    '@type': 'MessageCard',
    '@context': 'http://schema.org/extensions',
    themeColor: severity === 'error' ? 'FF0000' : '0076D7',
    summary: title,
    sections: [
      {
        activityTitle: text,
        activitySubtitle: title,
        facts: facts.map(({ name, value }) => ({ name, value })),
      },
    ],
  };
}

const textColors = { info: 'accent', warn: 'warning', error: 'attention' } as const;

/** https://adaptivecards.io/explorer */
function workflowCard({ severity, text, title, facts }: Message): object {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    msteams: { width: 'Full' },
    body: [
      {
        type: 'TextBlock',
        text,
        weight: 'bolder',
        color: textColors[severity],
        wrap: true,
      },
      { type: 'TextBlock', text: title, isSubtle: true, spacing: 'none', wrap: true },
      { type: 'FactSet', facts: facts.map(({ name, value }) => ({ title: name, value })) },
    ],
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return { type: 'message', attachments: [{ contentType, contentUrl: null, content }] };
}
