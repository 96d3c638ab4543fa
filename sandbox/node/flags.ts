import { parseArgs } from 'node:util';

/** What the node agent is told on its command line; directories are absolute paths. */
export type Flags = {
  readonly kubeconfig: string;
  /** Image map files, the built-in one first. */
  readonly images: readonly string[];
  /** The folder of programs built from this repository. */
  readonly programsDir: string;
  readonly stateDir: string;
  readonly logsDir: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly dnsIp: string;
  /** Certificate and key of the kubelet's https endpoint; without them it is not served. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
};

/** Reads the flags; throws an error naming the flag that is missing or unknown. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kubeconfig: { type: 'string' },
      images: { type: 'string', multiple: true, default: [] },
      'programs-dir': { type: 'string' },
      'state-dir': { type: 'string' },
      'logs-dir': { type: 'string' },
      'node-name': { type: 'string', default: 'sandbox' },
      'node-ip': { type: 'string', default: '10.244.0.1' },
      'pod-cidr': { type: 'string', default: '10.244.0.0/16' },
      'service-cidr': { type: 'string', default: '10.96.0.0/16' },
      'dns-ip': { type: 'string', default: '10.96.0.10' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
    },
  });
  const certFile = values['tls-cert'];
  const keyFile = values['tls-key'];
  return {
    kubeconfig: required('kubeconfig', values.kubeconfig),
    images: values.images,
    programsDir: required('programs-dir', values['programs-dir']),
    stateDir: required('state-dir', values['state-dir']),
    logsDir: required('logs-dir', values['logs-dir']),
    nodeName: values['node-name'],
    nodeIp: values['node-ip'],
    podCidr: values['pod-cidr'],
    serviceCidr: values['service-cidr'],
    dnsIp: values['dns-ip'],
    ...(certFile !== undefined && keyFile !== undefined ? { tls: { certFile, keyFile } } : {}),
  };
}

function required(flag: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`flag --${flag} is missing`);
  return value;
}
