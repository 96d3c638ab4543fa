/** `npm run dashboards`: writes deploy/grafana and the second form of the alert rules. */
import { writeFile } from 'node:fs/promises';

import { generatedFiles } from './files.js';

for (const [path, content] of Object.entries(await generatedFiles())) {
  await writeFile(path, content);
  console.log(path);
}
