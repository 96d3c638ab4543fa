import type { Canary } from './canary.js';

/** The object names derived from a Canary: services after `service.name`, workloads after the target. */
export interface Names {
  /** `NAME.NAMESPACE`, as events and logs print it. */
  readonly canary: string;
  /** `TARGET.NAMESPACE`. */
  readonly target: string;
  readonly apexService: string;
  readonly primaryService: string;
  readonly canaryService: string;
  readonly targetWorkload: string;
  readonly primaryWorkload: string;
}

/** Derives every object name of a Canary. */
export function namesOf({ name, namespace, target, service: { name: named } }: Canary): Names {
  // A target that is a service is what clients call, whatever else is named.
  const service = target.kind === 'Service' ? target.name : named;
  return {
    canary: `${name}.${namespace}`,
    target: `${target.name}.${namespace}`,
    apexService: service,
    primaryService: `${service}-primary`,
    canaryService: `${service}-canary`,
    targetWorkload: target.name,
    primaryWorkload: `${target.name}-primary`,
  };
}
