import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { KUBERNETES_SERVICE_IP, NODE_IP, NODE_NAME, SERVICE_CIDR } from '../addresses.js';
import { KUBECONFIG, stateFolders } from '../state.js';
import type { Component } from './component.js';

const certificate = (file: string): string => join(stateFolders.certificates, file);
const etcdUrl = 'http://127.0.0.1:2379';
const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

/** Makes the cluster's certificates and the administrator's kubeconfig. */
export async function makeCredentials(apiPort: number): Promise<void> {
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const names = [...service, 'kubernetes.default.svc.cluster.local', 'localhost', NODE_NAME];
  const addresses = ['127.0.0.1', KUBERNETES_SERVICE_IP, NODE_IP];
  const flags = {
    dir: stateFolders.certificates,
    names: names.join(),
    addresses: addresses.join(),
  };
  await promisify(execFile)('control-plane', ['certificates', ...asFlags(flags)]);
  writeFileSync(KUBECONFIG, JSON.stringify(kubeconfig(apiPort), undefined, 2));
}

/** A kubeconfig (JSON is YAML) with everything in it, so that it can be copied. */
function kubeconfig(apiPort: number): object {
  const data = (file: string): string => readFileSync(certificate(file)).toString('base64');
  const name = 'sluice-sandbox';
  const cluster = {
    server: `https://127.0.0.1:${apiPort}`,
    'certificate-authority-data': data('ca.crt'),
  };
  const user = {
    'client-certificate-data': data('admin.crt'),
    'client-key-data': data('admin.key'),
  };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}

/** The store. It need not survive a power cut, so it does not wait for its disk, which is memory. */
export function etcd(): Component {
  const peerUrl = 'http://127.0.0.1:2380';
  const flags = {
    'data-dir': stateFolders.etcd,
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
    // A lone member need not wait long for others before it leads.
    'heartbeat-interval': '10',
    'election-timeout': '100',
  };
  return component('etcd', flags);
}

/** The API server on all addresses, with real authorization and ServiceAccounts. */
export function apiServer(apiPort: number): Component {
  return component('kube-apiserver', {
    'etcd-servers': etcdUrl,
    'secure-port': apiPort,
    'bind-address': '0.0.0.0',
    'advertise-address': NODE_IP,
    'tls-cert-file': certificate('apiserver.crt'),
    'tls-private-key-file': certificate('apiserver.key'),
    'client-ca-file': certificate('ca.crt'),
    'kubelet-certificate-authority': certificate('ca.crt'),
    'kubelet-client-certificate': certificate('admin.crt'),
    'kubelet-client-key': certificate('admin.key'),
    'service-account-issuer': serviceAccountIssuer,
    'service-account-key-file': certificate('service-accounts.key'),
    'service-account-signing-key-file': certificate('service-accounts.key'),
    'service-cluster-ip-range': SERVICE_CIDR,
    'authorization-mode': 'RBAC',
    'allow-privileged': 'true',
    // Priorities for client groups only slow a cluster with one user.
    'enable-priority-and-fairness': 'false',
    'max-requests-inflight': 4000,
    'max-mutating-requests-inflight': 2000,
    'shutdown-delay-duration': '0s',
    profiling: 'false',
  });
}

/** The controllers, except those for nodes that come and go. */
export function controllerManager(): Component {
  return component('kube-controller-manager', {
    kubeconfig: KUBECONFIG,
    'leader-elect': 'false',
    controllers: '*,-node-lifecycle-controller,-node-ipam-controller',
    'root-ca-file': certificate('ca.crt'),
    'service-account-private-key-file': certificate('service-accounts.key'),
    'kube-api-qps': 2000,
    'kube-api-burst': 4000,
    'concurrent-deployment-syncs': 30,
    'concurrent-replicaset-syncs': 30,
    'concurrent-endpoint-syncs': 15,
    'concurrent-service-endpoint-syncs': 30,
    'secure-port': 0,
  });
}

/** The scheduler. */
export function scheduler(): Component {
  return component('kube-scheduler', {
    kubeconfig: KUBECONFIG,
    'leader-elect': 'false',
    'kube-api-qps': 2000,
    'kube-api-burst': 4000,
    'secure-port': 0,
  });
}

function component(name: string, flags: Readonly<Record<string, string | number>>): Component {
  // Memory is plentiful while the cluster starts, and processors are not.
  return { name, argv: ['control-plane', name, ...asFlags(flags)], env: { GOGC: '400' } };
}

function asFlags(flags: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}
