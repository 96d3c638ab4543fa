import type { ToolName } from './tools/table.js';

/** What is installed into the cluster unless told otherwise, in this order. */
export const PARTS = ['contour', 'prometheus', 'temporal', 'worker', 'demo'] as const;
/** Further gateways. They take minutes to build once, so only those who ask for them have them. */
export const OPTIONAL_PARTS = ['traefik', 'skipper', 'istio'] as const;
export type Part = (typeof PARTS)[number] | (typeof OPTIONAL_PARTS)[number];

/** The manifests of a part, relative to the repository. */
export const partManifests: Readonly<Record<Part, readonly string[]>> = {
  contour: ['sandbox/parts/contour.yaml'],
  prometheus: ['sandbox/parts/prometheus.yaml'],
  temporal: ['sandbox/parts/temporal.yaml'],
  worker: ['deploy/rbac.yaml', 'deploy/worker.yaml'],
  demo: ['sandbox/parts/demo.yaml'],
  traefik: ['sandbox/parts/traefik.yaml'],
  skipper: ['sandbox/parts/skipper.yaml'],
  istio: ['sandbox/parts/istio.yaml'],
};

/** True for parts whose objects, or programs, need the custom kinds. */
export function needsDefinitions(part: Part): boolean {
  return part !== 'prometheus' && part !== 'temporal' && part !== 'skipper';
}

const partTools: Readonly<Record<Part, readonly ToolName[]>> = {
  contour: ['contour', 'envoy'],
  prometheus: ['prometheus'],
  temporal: ['temporal'],
  worker: [],
  demo: [],
  traefik: ['traefik', 'traefik-crds'],
  skipper: ['skipper'],
  istio: ['pilot-discovery', 'envoy', 'istio-crds'],
};

/** Contour's kinds are there even without Contour, so that their objects can be written. */
const always: readonly ToolName[] = ['control-plane', 'gateway-api-crds', 'contour-crds'];

/** The tools a sandbox of these parts runs. */
export function toolsFor(parts: readonly Part[]): readonly ToolName[] {
  return [...new Set([...always, ...parts.flatMap((part) => partTools[part])])];
}
