import { ApiException, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1PodStatus } from '@kubernetes/client-node';

import type { Api } from './api.js';
import type { Identity } from './identity.js';

const retryMs = 250;
const strategicMerge = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);

/**
 * Publishes the status of one pod. Changes that come while a write is under way are written together by
 * the next one; a write that fails is repeated until it arrives or the pod is gone.
 */
export class StatusWriter {
  private isDirty = false;
  private isGone = false;
  private writing: Promise<void> | undefined;
  private written = '';

  constructor(
    private readonly api: Api,
    private readonly pod: Identity,
    private readonly compute: () => V1PodStatus,
  ) {}

  /** Says that the status may have changed. */
  touch(): void {
    this.isDirty = true;
    this.writing ??= this.write().finally(() => (this.writing = undefined));
  }

  /** Resolves when everything is written, or the pod is gone. */
  async settled(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
  }

  /** The pod object is gone: nothing is written any more. */
  abandon(): void {
    this.isGone = true;
  }

  /** Removes the pod object now that nothing of the pod is left on the node. */
  async remove(): Promise<void> {
    const { namespace, name, uid } = this.pod;
    const body = { gracePeriodSeconds: 0, preconditions: { uid } };
    await this.persist(() => this.api.core.deleteNamespacedPod({ namespace, name, body }));
  }

  private async write(): Promise<void> {
    // Changes of one moment (several containers starting) become one write.
    await new Promise(setImmediate);
    while (this.isDirty && !this.isGone) {
      this.isDirty = false;
      const status = this.compute();
      const text = JSON.stringify(status);
      if (text === this.written) continue;
      const { namespace, name, uid } = this.pod;
      const body = { metadata: { uid }, status: withOwnAddresses(status) };
      await this.persist(() =>
        this.api.core.patchNamespacedPodStatus({ namespace, name, body }, strategicMerge),
      );
      this.written = text;
    }
  }

  private async persist(call: () => Promise<unknown>): Promise<void> {
    while (!this.isGone) {
      try {
        await call();
        return;
      } catch (error) {
        const code = error instanceof ApiException ? error.code : 0;
        this.isGone ||= code === 404 || isNamesake(error);
        if (code === 422) {
          console.log(`status of pod ${this.pod.name} is refused: ${String(error)}`);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}

/** Whether the API server has another pod of the same name by now. */
function isNamesake(error: unknown): boolean {
  return error instanceof ApiException && error.code === 409 && String(error.body).includes('UID');
}

/**
 * A patch merges the list of addresses; a pod that starts anew after the agent was killed would keep its
 * old address beside the new one, which the API server refuses.
 */
function withOwnAddresses(status: V1PodStatus): object {
  const { podIPs } = status;
  if (podIPs === undefined) return status;
  return Object.assign({}, status, { podIPs: [...podIPs, { $patch: 'replace' }] });
}
