import { escapeMarkup } from './markup.js';
import type { Notifier } from './notifier.js';

/** Google Chat, by a webhook of a space: https://developers.google.com/workspace/chat/api/reference/rest/v1/cards-v1 */
export const gchat: Notifier = {
  request: ({ text, title, facts }, { address }) => ({
    url: address,
    json: {
      cards: [
        {
          header: {
            title: 'Flagger',
            subtitle: title,
            imageUrl: 'https://flagger.app/favicon.png',
          },
          sections: [
            paragraph(strong(text)),
            ...facts.map(({ name, value }) =>
              paragraph(`${escapeMarkup(name)}<br>${strong(value)}`),
            ),
          ],
        },
      ],
    },
  }),
};

function paragraph(text: string): object {
  return { widgets: [{ textParagraph: { text } }] };
}

function strong(text: string): string {
  return `<font color="#848484"><b>${escapeMarkup(text)}</b></font>`;
}
