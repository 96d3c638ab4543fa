import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ask, claim, claimWhenFree } from '../../sandbox/claim.js';

const name = `test-${process.pid}`;

describe('a claim', () => {
  it('is held by one at a time and tells who holds it', async () => {
    const held = await claim(name, () => 'me');
    expect(await claim(name)).toBeUndefined();
    expect(await ask(name)).toBe('me');
    held?.release();
    expect(await ask(name)).toBeUndefined();
  });

  it('passes to the one that waits', async () => {
    const held = await claim(name);
    const waiting = claimWhenFree(name, () => held?.release());
    (await waiting).release();
  });

  it('is free when its holder is killed', async () => {
    const address = `\\0sluice/${String(process.getuid?.())}/${name}`;
    const holder = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen('${address}', () => console.log('held'))`,
    ]);
    await once(holder.stdout, 'data');
    const waiting = claimWhenFree(name, () => holder.kill('SIGKILL'));
    (await waiting).release();
  });
});
