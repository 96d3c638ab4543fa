import { readFileSync } from 'node:fs';

import { providers } from '../../domain/providers.js';
import { providersDoc } from '../../scripts/providers-doc.js';
import { manifests } from '../routers/cases.js';
import { proofs } from '../routers/proofs.js';

it('docs/providers.md says what the tables say (npm run docs:providers)', () => {
  expect(readFileSync('docs/providers.md', 'utf8')).toBe(providersDoc());
});

it.each(providers)('%s is tried where it is said to be proved', (provider) => {
  const { live, definitions } = proofs[provider];
  const isTried = manifests.some(([, tried]) => tried === provider);

  expect(isTried).toBe(definitions !== undefined);
  if (live !== undefined) expect(readFileSync(live.test, 'utf8')).toContain(provider);
});
