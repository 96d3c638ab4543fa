import type { V1Probe } from '@kubernetes/client-node';

import { afterResult, initialProbeState, nextProbe } from './probe-state.js';
import type { ProbeKind, ProbeState } from './probe-state.js';
import { probeOnce } from './probes.js';
import type { ProbeTarget } from './probes.js';

/** Told when a probe's verdict turns, and of every failure that counts. */
export type ProbeListener = {
  readonly turned: (kind: ProbeKind, verdict: 'success' | 'failure', message: string) => void;
  readonly failed: (kind: ProbeKind, message: string) => void;
};

/** Probes one container for one thing until it is stopped. */
export class Prober {
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private state: ProbeState;
  private lastRegularMs: number | undefined;
  private readonly startedAtMs = Date.now();

  constructor(
    private readonly kind: ProbeKind,
    private readonly probe: V1Probe,
    private readonly target: ProbeTarget,
    private readonly listener: ProbeListener,
  ) {
    this.state = initialProbeState(kind);
    this.plan();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.stopped) return;
    const nowMs = Date.now() - this.startedAtMs;
    const times = { nowMs, lastRegularMs: this.lastRegularMs };
    const { atMs, counts } = nextProbe(this.kind, this.probe, this.state, times);
    this.timer = setTimeout(() => void this.look(counts), atMs - nowMs);
  }

  private async look(counts: boolean): Promise<void> {
    if (counts) this.lastRegularMs = Date.now() - this.startedAtMs;
    const timeoutMs = (this.probe.timeoutSeconds ?? 1) * 1000;
    const { ok, message } = await probeOnce(this.probe, this.target, timeoutMs);
    // A container that stopped meanwhile has nothing to answer for.
    if (this.stopped) return;
    if (ok || counts) this.note(ok ? 'success' : 'failure', message);
    this.plan();
  }

  private note(result: 'success' | 'failure', message: string): void {
    const before = this.state.verdict;
    this.state = afterResult(this.state, result, this.probe);
    // The first look often comes before the program listens: that is no news.
    const isNews = this.state.runLength > 1 || this.state.succeededOnce;
    if (result === 'failure' && isNews) this.listener.failed(this.kind, message);
    const { verdict } = this.state;
    if (verdict !== before && verdict !== 'unknown') {
      this.listener.turned(this.kind, verdict, message);
    }
  }
}
