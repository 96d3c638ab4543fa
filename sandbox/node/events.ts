import type { V1Pod } from '@kubernetes/client-node';

import type { Api } from './api.js';
import { identity } from './identity.js';

/** The same warning about the same pod is recorded once in this time, ms. */
const repeatMs = 30_000;

/**
 * Records warnings as Kubernetes Events, so that `kubectl describe` shows why a pod does not start. The
 * kubelet's Normal events are left out: they would double the writes of every start.
 */
export class EventRecorder {
  private readonly recordedAt = new Map<string, number>();

  constructor(
    private readonly api: Api,
    private readonly nodeName: string,
  ) {}

  warn(pod: V1Pod, reason: string, message: string): void {
    const { name, namespace, uid } = identity(pod);
    const key = `${uid}/${reason}/${message}`;
    const now = new Date();
    if (now.getTime() - (this.recordedAt.get(key) ?? 0) < repeatMs) return;
    this.forgetOld(now.getTime());
    this.recordedAt.set(key, now.getTime());
    const body = {
      metadata: { namespace, name: `${name}.${now.getTime().toString(16)}${this.recordedAt.size}` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      ...{ type: 'Warning', reason, message: message.slice(0, 1000) },
      source: { component: 'kubelet', host: this.nodeName },
      ...{ firstTimestamp: now, lastTimestamp: now, count: 1 },
    };
    // An event is a courtesy: when it cannot be written (the namespace may be ending) nothing is lost.
    this.api.core.createNamespacedEvent({ namespace, body }).catch(() => undefined);
  }

  private forgetOld(nowMs: number): void {
    for (const [key, atMs] of this.recordedAt) {
      if (nowMs - atMs > repeatMs) this.recordedAt.delete(key);
    }
  }
}
