import type { Cluster } from '../cluster.js';
import type { Payload } from '../payload.js';

/** What a webhook may ask for: its `metadata.type`. */
export type TaskType =
  'cmd' | 'bash' | 'helm' | 'helmv3' | 'kubectl' | 'ngrinder' | 'concord' | 'k6' | 'job';

/** What came of a task. The output is for the caller, the cause for people. */
export type Outcome = { readonly output: string; readonly told?: Told } & (
  { readonly ok: true } | { readonly ok: false; readonly cause: string }
);

/** Is to be called once a caller was told the outcome, and not when nobody was left to be told. */
export type Told = () => Promise<void>;

/** Something to be done for a canary, understood but not begun. */
export interface Task {
  /**
   * `background`: the caller is answered at once, and a request for what runs already is skipped.
   * `blocking`: the caller waits; every request is a run of its own.
   * `joined`: the caller waits; a request for what runs already waits for that run.
   */
  readonly mode: 'background' | 'blocking' | 'joined';
  /** Equal for requests for the same thing. */
  readonly identity: string;
  /** Names the task in a failure that is told to the caller. */
  readonly label: string;
  readonly returnOutput: boolean;
  readonly logOutput: boolean;
  /** Texts that are to be seen nowhere. */
  readonly secrets: readonly string[];
  /** Milliseconds; the process has a limit for all. */
  readonly timeoutMs?: number;
  /** Does it. Comes to an end soon after `signal`, whose reason says why; rejects only for a bug. */
  readonly perform: (signal: AbortSignal) => Promise<Outcome>;
}

/** A webhook's call. */
export interface Order extends Payload {
  /** Equal for all attempts at one call, where the caller says so (`Idempotency-Key`). */
  readonly key: string | undefined;
}

/** What tasks need of the process. */
export interface Surroundings {
  /** Throws when no cluster is configured. */
  readonly cluster: () => Cluster;
  /** The limit for all tasks. */
  readonly timeoutMs: number;
}

/** Understands a call for one type of task; throws `BadRequest` that names the field. */
export type ReadTask = (order: Order, around: Surroundings) => Task;

/** Tells the canaries of a cluster apart: `NAME.NAMESPACE`, as in Flagger's logs. */
export function canaryOf({ name, namespace }: Pick<Order, 'name' | 'namespace'>): string {
  return `${name}.${namespace}`;
}

/**
 * For tasks that are joined: attempts at one call are one task; without a key, so are equal calls.
 */
export function identityOf(order: Order, type: TaskType): string {
  const { name, namespace, phase, checksum, metadata, key } = order;
  const call = key ?? [phase, checksum, Object.entries(metadata).sort()];
  return JSON.stringify([namespace, name, type, call]);
}
