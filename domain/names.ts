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
export function namesOf({ name, namespace, target, service }: Canary): Names {
  return {
    canary: `${name}.${namespace}`,
    target: `${target.name}.${namespace}`,
    apexService: service.name,
    primaryService: `${service.name}-primary`,
    canaryService: `${service.name}-canary`,
    targetWorkload: target.name,
    primaryWorkload: `${target.name}-primary`,
  };
}
