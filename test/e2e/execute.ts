import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Description } from '../../sandbox/description.js';
import { execIn } from '../../sandbox/sandbox.js';

/** What a command inside the sandbox did; `output` is what it printed, errors included. */
export interface Executed {
  readonly code: number;
  readonly output: string;
}

/** Runs `sh -c command` inside a sandbox. */
export async function executeIn(sandbox: Description, command: string): Promise<Executed> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-exec-'));
  try {
    const file = join(folder, 'output');
    const output = await open(file, 'w');
    const code = await execIn(sandbox, command, { stdio: ['ignore', output.fd, output.fd] });
    await output.close();
    return { code, output: await readFile(file, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}
