import type { Message, NotifierConfig } from './notifier.js';

/** The colours of good and bad news. */
export interface Colors {
  readonly good: string;
  readonly bad: string;
}

/**
 * The message of Slack's incoming webhooks, which other chat services take too:
 * https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
 *
 * @param escaped writes a text so that the service shows it as it is
 */
export function withAttachment(
  { severity, text, title, facts }: Message,
  { channel, username }: NotifierConfig,
  { good, bad }: Colors,
  escaped: (text: string) => string = asItIs,
): object {
  return {
    channel,
    username,
    icon_url: '',
    icon_emoji: ':rocket:',
    attachments: [
      {
        color: severity === 'error' ? bad : good,
        author_name: title,
        text: escaped(text),
        mrkdwn_in: ['text'],
        fields: facts.map(({ name, value }) => ({
          title: name,
          value: escaped(value),
          short: false,
        })),
      },
    ],
  };
}

function asItIs(text: string): string {
  return text;
}
