import { withAttachment } from './attachments.js';
import { escapeMarkup } from './markup.js';
import type { Notifier } from './notifier.js';

const colors = { good: 'good', bad: 'danger' };

/** Slack: an incoming webhook, or its API's `chat.postMessage` with the token of a bot. */
export const slack: Notifier = {
  request: (message, config) => ({
    url: config.address,
    ...(config.token === undefined ? {} : { headers: { Authorization: `Bearer ${config.token}` } }),
    // https://docs.slack.dev/messaging/formatting-message-text#escaping
    json: withAttachment(message, config, colors, escapeMarkup),
  }),

  /** The API answers 200 whatever it did: https://docs.slack.dev/apis/web-api/#responses */
  refusal(body) {
    const { ok, error } = answerOf(body);
    if (ok !== false) return undefined;
    const isCode = typeof error === 'string' && /^[a-z_]{1,60}$/.test(error);
    return isCode ? `Slack answered ${error}` : 'Slack answered that it failed';
  },
};

/** A webhook answers with the word `ok`. */
function answerOf(body: string): { readonly ok?: unknown; readonly error?: unknown } {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {};
  }
}
