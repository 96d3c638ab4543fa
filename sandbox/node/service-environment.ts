import type { V1Service, V1ServicePort } from '@kubernetes/client-node';

import { identity } from './identity.js';

/**
 * The variables by which a pod finds services: always those of `default/kubernetes`, and with
 * `enableServiceLinks` those of every service of its namespace that has a cluster IP.
 */
export function serviceEnvironment(
  services: readonly V1Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Record<string, string> {
  const isApiServer = (service: V1Service): boolean =>
    service.metadata?.namespace === 'default' && service.metadata.name === 'kubernetes';
  const linked = services.filter(
    (service) => enableServiceLinks && service.metadata?.namespace === namespace,
  );
  const environment: Record<string, string> = {};
  for (const service of [...services.filter(isApiServer), ...linked]) {
    Object.assign(environment, variablesOf(service));
  }
  return environment;
}

function variablesOf(service: V1Service): Record<string, string> {
  const { clusterIP: host = '', ports = [] } = service.spec ?? {};
  const [first] = ports;
  if (host === '' || host === 'None' || first === undefined) return {};

  const name = variableName(identity(service).name);
  const url = ({ protocol = 'TCP', port }: V1ServicePort): string =>
    `${protocol.toLowerCase()}://${host}:${port}`;
  const variables: Record<string, string> = {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(first.port),
    [`${name}_PORT`]: url(first),
  };
  for (const port of ports) {
    const { protocol = 'TCP', name: portName = '' } = port;
    const prefix = `${name}_PORT_${port.port}_${protocol}`;
    if (portName !== '') {
      variables[`${name}_SERVICE_PORT_${variableName(portName)}`] = String(port.port);
    }
    variables[prefix] = url(port);
    variables[`${prefix}_PROTO`] = protocol.toLowerCase();
    variables[`${prefix}_PORT`] = String(port.port);
    variables[`${prefix}_ADDR`] = host;
  }
  return variables;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
