import { ApiException, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import type { V1PodStatus } from '@kubernetes/client-node';

import type { Api } from './api.js';
import type { Identity } from './identity.js';

const retryMs = 250;
const strategicMerge = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);

/**
 * Publishes the status of one pod. Changes that come while a write is under way are written together by
 * the next one; a write that fails is repeated with what is true by then, until the pod is gone.
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
      const body = { metadata: { uid }, status };
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
        if (error instanceof ApiException && isFinal(error)) {
          this.isGone = true;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}

/** Not found, or a namesake with another uid, or something the API server will never accept. */
function isFinal({ code, body }: ApiException<unknown>): boolean {
  return code === 404 || code === 422 || (code === 409 && String(body).includes('UID'));
}
