import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { bundleWorkflowCode } from '@temporalio/worker';

// Writes the workflow bundle for `--workflow-bundle`, so that an image need not bundle at start:
// node worker/bundle.js FILE
const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: node worker/bundle.js FILE');
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const entry = new URL(`../workflows/index.${extension}`, import.meta.url);
const { code } = await bundleWorkflowCode({ workflowsPath: fileURLToPath(entry) });
await writeFile(target, code);
