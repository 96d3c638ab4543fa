/**
 * Records the histories that `replay.test.ts` replays: `npm run record`. A history is only replaced
 * by hand, when no run like it can be open any more; otherwise a new one is added beside it.
 */
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { Rig } from '../workflows/rig.js';
import { scenarios } from './scenarios.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const rig = await Rig.open();
for (const [name, play] of Object.entries(scenarios)) {
  const file = new URL(`./histories/${name.replaceAll(/[ ,/:]+/g, '-')}.json`, import.meta.url);
  if (existsSync(file)) continue;
  const handle = await play(rig);
  const first = rig.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
  const history = historyToJSON(await first.fetchHistory());
  // Stack traces name files, which is nobody's business but this machine's.
  await writeFile(file, `${history.replaceAll(root, '')}\n`);
  console.log(`recorded: ${name}`);
}
await rig.close();
