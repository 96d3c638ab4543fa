import type { Notifier } from './notifier.js';

/** Anybody's own endpoint: all there is to know, in plain JSON. */
export const webhook: Notifier = {
  request: ({ severity, text, canary, facts, at }, { address, token }) => ({
    url: address,
    ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
    json: {
      name: canary.name,
      namespace: canary.namespace,
      severity,
      message: text,
      timestamp: new Date(at).toISOString(),
      fields: facts.map(({ name, value }) => ({ name, value })),
    },
  }),
};
