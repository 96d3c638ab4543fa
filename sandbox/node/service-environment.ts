import type { V1Service } from '@kubernetes/client-node';

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
  const host = service.spec?.clusterIP;
  const ports = service.spec?.ports ?? [];
  const [first] = ports;
  if (host === undefined || host === '' || host === 'None' || first === undefined) return {};

  const name = variableName(service.metadata?.name ?? '');
  const variables: Record<string, string> = {
    [`${name}_SERVICE_HOST`]: host,
    [`${name}_SERVICE_PORT`]: String(first.port),
    [`${name}_PORT`]: `${(first.protocol ?? 'TCP').toLowerCase()}://${host}:${first.port}`,
  };
  for (const port of ports) {
    const protocol = port.protocol ?? 'TCP';
    const prefix = `${name}_PORT_${port.port}_${protocol}`;
    if (port.name !== undefined && port.name !== '') {
      variables[`${name}_SERVICE_PORT_${variableName(port.name)}`] = String(port.port);
    }
    variables[prefix] = `${protocol.toLowerCase()}://${host}:${port.port}`;
    variables[`${prefix}_PROTO`] = protocol.toLowerCase();
    variables[`${prefix}_PORT`] = String(port.port);
    variables[`${prefix}_ADDR`] = host;
  }
  return variables;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
