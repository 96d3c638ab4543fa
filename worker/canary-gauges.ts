import { Gauge } from 'prom-client';

import type { Phase } from '../domain/canary.js';
import type { TelemetryOptions } from './telemetry.js';

/** Registers what is read off the Canaries at each scrape, so that none outlives its canary. */
export function registerCanaryGauges(options: TelemetryOptions): void {
  registerFlaggers(options);
  registerOurs(options);
}

function registerFlaggers({ registry, canaries, version, meshProvider }: TelemetryOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'flagger_info',
    help: 'Version and default traffic provider',
    labelNames: ['version', 'mesh_provider'],
    registers,
  }).set({ version, mesh_provider: meshProvider }, 1);
  new Gauge({
    name: 'flagger_canary_total',
    help: 'Number of canaries',
    labelNames: ['namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata } of canaries.values()) {
        this.inc({ namespace: metadata.namespace ?? '' });
      }
    },
  });
  new Gauge({
    name: 'flagger_canary_status',
    help: 'Last canary analysis result: 0 running, 1 successful, 2 failed',
    labelNames: ['name', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec, status } of canaries.values()) {
        const { namespace = '' } = metadata;
        this.set({ name: spec.targetRef.name, namespace }, statusValue(status?.phase));
      }
    },
  });
  new Gauge({
    name: 'flagger_canary_weight',
    help: 'Percent of the traffic at a workload',
    labelNames: ['workload', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec, status } of canaries.values()) {
        const { namespace = '' } = metadata;
        const weight = status?.canaryWeight ?? 0;
        this.set({ workload: `${spec.targetRef.name}-primary`, namespace }, 100 - weight);
        this.set({ workload: spec.targetRef.name, namespace }, weight);
      }
    },
  });
}

function registerOurs({ registry, canaries }: TelemetryOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_canary_info',
    help: 'The target and the service of a canary',
    labelNames: ['namespace', 'name', 'target', 'service'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, spec } of canaries.values()) {
        const { namespace = '', name } = metadata;
        const target = spec.targetRef.name;
        this.set({ namespace, name, target, service: spec.service?.name ?? target }, 1);
      }
    },
  });
  new Gauge({
    name: 'sluice_canary_phase',
    help: 'The phase a canary is in; Waiting and WaitingPromotion wait for approval',
    labelNames: ['namespace', 'name', 'phase'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, status } of canaries.values()) {
        const { namespace = '', name } = metadata;
        this.set({ namespace, name, phase: status?.phase ?? '' }, 1);
      }
    },
  });
  new Gauge({
    name: 'sluice_canary_last_transition_timestamp_seconds',
    help: 'When phase, weight or failed checks of a canary last changed, in seconds since 1970',
    labelNames: ['namespace', 'name'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, status } of canaries.values()) {
        const { namespace = '', name } = metadata;
        const at = Date.parse(status?.lastTransitionTime ?? '');
        if (!Number.isNaN(at)) this.set({ namespace, name }, at / 1_000);
      }
    },
  });
}

/** Flagger's numbers: alerts are written against `> 1`. */
function statusValue(phase: Phase | undefined): 0 | 1 | 2 {
  if (phase === 'Progressing') return 0;
  return phase === 'Failed' ? 2 : 1;
}
