import { Prober } from './prober.js';
import type { ProbeListener } from './prober.js';
import type { ProbeTarget } from './probes.js';

/** Told about the health of a running container. */
export type HealthListener = {
  /** Past the startup probe, or at once without one. */
  readonly started: () => void;
  readonly ready: (ready: boolean) => void;
  /** A probe failed; the sentence is for people. */
  readonly failing: (message: string) => void;
  /** The container is to be killed, with the probe's own grace period if it has one. */
  readonly dead: (graceSeconds: number | undefined) => void;
};

/** All probes of one run of a container: startup first, then readiness and liveness side by side. */
export class ContainerHealth {
  private startup: Prober | undefined;
  private readiness: Prober | undefined;
  private liveness: Prober | undefined;

  constructor(
    private readonly target: ProbeTarget,
    private readonly listener: HealthListener,
  ) {
    const { startupProbe } = target.container;
    if (startupProbe === undefined) this.begin();
    else this.startup = new Prober('startup', startupProbe, target, this.probeListener());
  }

  stop(): void {
    this.stopJudging();
    this.readiness?.stop();
  }

  /** While a container is being stopped it is still asked for readiness, but no longer killed. */
  stopJudging(): void {
    this.startup?.stop();
    this.liveness?.stop();
  }

  private begin(): void {
    const { readinessProbe, livenessProbe } = this.target.container;
    this.listener.started();
    const listener = this.probeListener();
    if (readinessProbe !== undefined) {
      this.readiness = new Prober('readiness', readinessProbe, this.target, listener);
    }
    if (livenessProbe !== undefined) {
      this.liveness = new Prober('liveness', livenessProbe, this.target, listener);
    }
  }

  private probeListener(): ProbeListener {
    const { startupProbe, livenessProbe } = this.target.container;
    return {
      failed: (kind, message) => {
        const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
        this.listener.failing(`${title} probe failed: ${message}`);
      },
      turned: (kind, verdict) => {
        if (kind === 'readiness') this.listener.ready(verdict === 'success');
        else if (verdict === 'failure') {
          this.stopJudging();
          const probe = kind === 'startup' ? startupProbe : livenessProbe;
          this.listener.dead(probe?.terminationGracePeriodSeconds);
        } else if (kind === 'startup') {
          this.startup?.stop();
          this.begin();
        }
      },
    };
  }
}
