import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { CLUSTER_DOMAIN, DNS_IP, NODE_NAME } from '../addresses.js';
import type { Plan } from '../control.js';
import { STATE_MOUNT, stateFolders } from '../state.js';

/** What this mount namespace sees instead of the host's files. */
const files: Readonly<Record<string, string>> = {
  '/etc/resolv.conf': [
    `nameserver ${DNS_IP}`,
    `search ${['default.svc', 'svc', ''].map((zone) => [zone, CLUSTER_DOMAIN].filter(Boolean).join('.')).join(' ')}`,
    'options ndots:5 timeout:2',
    '',
  ].join('\n'),
  '/etc/hosts': `127.0.0.1 localhost ${NODE_NAME}\n::1 localhost\n`,
  // Modules other than these two ask services of the host.
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Lays the sandbox's own folders and files over the host's. */
export function prepareFileSystem(): void {
  mount('-t', 'tmpfs', '-o', 'mode=0755', 'sluice', STATE_MOUNT);
  for (const folder of Object.values(stateFolders)) mkdirSync(folder, { recursive: true });
  for (const [path, text] of Object.entries(files)) replaceFile(path, text);
}

function replaceFile(path: string, text: string): void {
  const target = linkTarget(path) ?? path;
  if (target.startsWith(`${STATE_MOUNT}/`)) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  } else if (existsSync(target)) {
    const own = join(stateFolders.tmp, path.replaceAll('/', '-'));
    writeFileSync(own, text);
    mount('--bind', own, target);
  }
}

function linkTarget(path: string): string | undefined {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isSymbolicLink() === true ? resolve(dirname(path), readlinkSync(path)) : undefined;
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args);
}

const programs = [
  'control-plane',
  'contour',
  'envoy',
  'pilot-discovery',
  'prometheus',
  'skipper',
  'temporal',
  'traefik',
] as const;

/** Puts every program of the sandbox into one folder, the first of PATH. */
export function linkPrograms({ tools, loader, repository }: Plan): void {
  for (const name of programs) {
    const path = tools[name];
    if (path !== undefined) symlinkSync(path, join(stateFolders.bin, name));
  }
  script('kubectl', 'exec control-plane kubectl "$@"');
  const main = join(repository, 'cli', 'main.ts');
  script('sluice', `exec '${process.execPath}' --import '${loader}' '${main}' "$@"`);
}

function script(name: string, line: string): void {
  writeFileSync(join(stateFolders.bin, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}
