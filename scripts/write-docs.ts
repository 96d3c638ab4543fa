/** `npm run docs:providers`: writes the pages of the documentation that are made from tables. */
import { writeFile } from 'node:fs/promises';

import { providersDoc } from './providers-doc.js';

await writeFile(new URL('../docs/providers.md', import.meta.url), providersDoc());
