import { withAttachment } from './attachments.js';
import type { Notifier } from './notifier.js';

const colors = { good: '#0076D7', bad: '#FF0000' };

/** Rocket.Chat, by an incoming integration. */
export const rocket: Notifier = {
  request: (message, config) => ({
    url: config.address,
    json: withAttachment(message, config, colors),
  }),
};
