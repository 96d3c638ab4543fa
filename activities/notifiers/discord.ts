import { withAttachment } from './attachments.js';
import type { Notifier } from './notifier.js';

const colors = { good: 'good', bad: 'danger' };

/**
 * Discord, by the end of its webhooks that understands Slack's messages:
 * https://discord.com/developers/docs/resources/webhook#execute-slackcompatible-webhook
 */
export const discord: Notifier = {
  request: (message, config) => ({
    url: slackEndOf(config.address),
    json: withAttachment(message, config, colors),
  }),
};

function slackEndOf(address: URL): URL {
  const url = new URL(address);
  if (url.pathname.endsWith('/slack')) return url;
  url.pathname = `${url.pathname}/slack`.replaceAll(/\/+/g, '/');
  return url;
}
