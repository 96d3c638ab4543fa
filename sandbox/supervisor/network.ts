import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { NODE_IP, POD_CIDR, SERVICE_CIDR } from '../addresses.js';

const links = [
  'link set lo up',
  'link add br0 type bridge forward_delay 0',
  `addr add ${NODE_IP}/${POD_CIDR.split('/')[1] ?? '16'} dev br0`,
  'link set br0 up',
  // Any process of this namespace may listen on, and connect to, any service address.
  `route add local ${SERVICE_CIDR} dev lo`,
];

const settings: Readonly<Record<string, string>> = {
  'net/ipv4/ip_forward': '1',
  // A load generator and a proxy on one machine use up ports sooner than they come free.
  'net/ipv4/ip_local_port_range': '10240 65000',
  'net/ipv4/tcp_tw_reuse': '1',
};

/** Sets up the node's network: the pods' bridge and the services' addresses. */
export function prepareNetwork(): void {
  execFileSync('ip', ['-batch', '-'], {
    input: links.join('\n'),
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  for (const [name, value] of Object.entries(settings)) writeFileSync(`/proc/sys/${name}`, value);
}
