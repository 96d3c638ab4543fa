import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1Pod } from '@kubernetes/client-node';

import type { BindMount } from './mount-plan.js';

/** The name a pod's processes see as theirs, at most 63 characters. */
export function podHostname(pod: V1Pod): string {
  const name = pod.spec?.hostname ?? pod.metadata?.name ?? 'pod';
  return name.slice(0, 63).replace(/[-.]+$/, '');
}

/** The resolv.conf of a pod by its dnsPolicy and dnsConfig. */
export function resolvConf(pod: V1Pod, dnsIp: string): string {
  const { dnsPolicy, dnsConfig } = pod.spec ?? {};
  const namespace = pod.metadata?.namespace ?? 'default';
  const own = dnsPolicy === 'None';
  const zones = ['svc.cluster.local', 'cluster.local'];
  const servers = [...(own ? [] : [dnsIp]), ...(dnsConfig?.nameservers ?? [])];
  const search = [
    ...(own ? [] : [`${namespace}.svc.cluster.local`, ...zones]),
    ...(dnsConfig?.searches ?? []),
  ];
  const options = new Map(own ? [] : [['ndots', '5']]);
  for (const { name, value } of dnsConfig?.options ?? []) options.set(name ?? '', value ?? '');
  const optionTexts = [...options].map(([name, value]) =>
    value === '' ? name : `${name}:${value}`,
  );
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(optionTexts.length > 0 ? [`options ${optionTexts.join(' ')}`] : []),
    '',
  ].join('\n');
}

/** The hosts file of a pod: localhost, its own name and its hostAliases. */
export function hostsFile(pod: V1Pod, podIp: string): string {
  const name = podHostname(pod);
  const { subdomain, hostAliases } = pod.spec ?? {};
  const namespace = pod.metadata?.namespace ?? 'default';
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
  };
  return Object.entries(files).map(([name, text]): BindMount => {
    const source = join(directory, name);
    writeFileSync(source, text);
    return { source, target: `/etc/${name}`, kind: 'file', readOnly: false };
  });
}
