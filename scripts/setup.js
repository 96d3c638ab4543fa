// Installs the npm packages on first use, so that every script works as the only command typed.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const installed = 'node_modules/.package-lock.json';
const upToDate =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync('package-lock.json').mtimeMs;

if (!upToDate) {
  console.error('Installing npm packages (once) ...');
  // Not `npm ci`: it refuses a lock file that lacks the optional packages of other platforms, which
  // not every registry has. Versions come from the lock file in either case.
  const { status } = spawnSync('npm', ['install', '--no-save', '--loglevel=error'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}
