import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1Pod, V1PodDNSConfigOption } from '@kubernetes/client-node';

import { identity } from './identity.js';
import type { BindMount } from './mount-plan.js';

/** The name a pod's processes see as theirs, at most 63 characters. */
export function podHostname(pod: V1Pod): string {
  const name = pod.spec?.hostname ?? pod.metadata?.name ?? 'pod';
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

/** The resolv.conf of a pod: the cluster's names first, unless its dnsPolicy is None, then its dnsConfig. */
export function resolvConf(pod: V1Pod, dnsIp: string): string {
  const { nameservers = [], searches = [], options = [] } = pod.spec?.dnsConfig ?? {};
  const isOwn = pod.spec?.dnsPolicy === 'None';
  const zones = ['svc.cluster.local', 'cluster.local'];
  const clusterSearch = [`${identity(pod).namespace}.svc.cluster.local`, ...zones];
  const settings = new Map(isOwn ? [] : [['ndots', 'ndots:5']]);
  for (const option of options) settings.set(option.name ?? '', optionText(option));
  return [
    ...(isOwn ? [] : line('nameserver', [dnsIp])),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...line('search', isOwn ? searches : [...clusterSearch, ...searches]),
    ...line('options', [...settings.values()]),
    '',
  ].join('\n');
}

function optionText({ name = '', value }: V1PodDNSConfigOption): string {
  return value === undefined ? name : `${name}:${value}`;
}

function line(keyword: string, words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`${keyword} ${words.join(' ')}`];
}

/** The hosts file of a pod: localhost, its own name and its hostAliases. */
export function hostsFile(pod: V1Pod, podIp: string): string {
  const name = podHostname(pod);
  const { subdomain, hostAliases } = pod.spec ?? {};
  const { namespace } = identity(pod);
  const longName =
    subdomain === undefined ? '' : `${name}.${subdomain}.${namespace}.svc.cluster.local\t`;
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    `${podIp}\t${longName}${name}`,
    ...(hostAliases ?? []).map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join('\t')}`),
    '',
  ].join('\n');
}

/** Writes the files every container of the pod has in /etc, and says how to mount them. */
export function writePodFiles(
  directory: string,
  pod: V1Pod,
  { podIp, dnsIp }: { readonly podIp: string; readonly dnsIp: string },
): BindMount[] {
  mkdirSync(directory, { recursive: true });
  const files = {
    hosts: hostsFile(pod, podIp),
    'resolv.conf': resolvConf(pod, dnsIp),
    hostname: `${podHostname(pod)}\n`,
    // Modules other than these two would ask services of the host.
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  };
  return Object.entries(files).map(([name, text]): BindMount => {
    const source = join(directory, name);
    writeFileSync(source, text);
    return { source, target: `/etc/${name}`, kind: 'file', readOnly: false };
  });
}
