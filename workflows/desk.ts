import { ApplicationFailure } from '@temporalio/common';
import { condition, log, setHandler } from '@temporalio/workflow';

import { doing, type PlannedStep, type Why } from '../domain/explain.js';
import type { Order, Plan, ReleaseRequest, ReleaseState } from '../domain/release.js';
import {
  follow,
  orderNames,
  refusal,
  refusalOfRequest,
  type OrderName,
} from '../domain/steering.js';
import {
  changedSignal,
  orderSignals,
  orderUpdates,
  planQuery,
  releaseUpdate,
  stateQuery,
  whyQuery,
  type Change,
  type Receipt,
} from './messages.js';

/** An order that waits to be followed, and what became of it. */
export interface Entry {
  readonly name: OrderName;
  /** As it came: {@link refusal} checks it. */
  readonly order: Partial<Order>;
  answer?: { readonly receipt: Receipt } | { readonly refused: string };
}

/** Where the messages of a release arrive. Handlers only record; the release's loop acts. */
export interface Desk {
  /** Orders not yet followed, oldest first. */
  readonly orders: Entry[];
  /** The newest change the watch told of and the loop has not looked at. */
  change: Change | undefined;
  /** The workflow was asked to cancel. */
  cancelled: boolean;
  /** Requests of CI that were accepted or refused. */
  requestsAnswered: number;
}

/** What the handlers may look at. */
export interface View {
  readonly state: () => ReleaseState | undefined;
  /** What an order has to fit to; undefined before the first look at the cluster. */
  readonly release: () => { readonly plan: Plan; readonly state: ReleaseState } | undefined;
  readonly why: () => Why | undefined;
  readonly plan: () => readonly PlannedStep[];
}

/**
 * Registers all handlers; must be called before the first await, or early messages are lost.
 *
 * @param setImages patches the target on behalf of a request, and tells the revision it makes
 */
export function openDesk(
  view: View,
  setImages: (request: ReleaseRequest) => Promise<{ readonly revision: string }>,
): Desk {
  const desk: Desk = { orders: [], change: undefined, cancelled: false, requestsAnswered: 0 };
  setHandler(stateQuery, () => view.state(), { description: 'Everything the release remembers' });
  setHandler(whyQuery, () => view.why(), { description: 'What the release waits for' });
  setHandler(planQuery, () => view.plan(), { description: 'The steps, done and to do' });
  setHandler(
    changedSignal,
    (change) => {
      desk.change = change;
    },
    { description: 'The target or the Canary may have changed: look again' },
  );
  setHandler(releaseUpdate, (request) => answerRequest(desk, setImages, request), {
    validator: (request: Partial<ReleaseRequest> | undefined) => {
      validateRequest(request);
      refuse(refusalOfRequest(view.release()));
    },
    description: 'Set container images of the target and release them',
  });
  for (const name of orderNames) takeOrders(desk, view, name);
  return desk;
}

function takeOrders(desk: Desk, view: View, name: OrderName): void {
  setHandler(orderUpdates[name], (order) => answerOrder(desk, name, order), {
    validator: (order: Partial<Order> | undefined) => {
      const release = view.release();
      if (release === undefined) return;
      refuse(refusal(name, orEmpty(order), release.plan, release.state));
    },
    description: `${descriptions[name]}; ${contents}`,
  });
  setHandler(
    orderSignals[name],
    async (order: Partial<Order> | undefined) => {
      try {
        await answerOrder(desk, name, orEmpty(order));
      } catch (error) {
        log.warn('order refused', { order: name, reason: String(error) });
      }
    },
    { description: `${descriptions[name]}; ${contents}` },
  );
}

const contents = 'needs {actor, revision}, takes {reason}; a decision on a gate takes {gate}';

const descriptions: Readonly<Record<OrderName, string>> = {
  promote: 'Skip the rest of the analysis and promote',
  rollback: 'Send all traffic back to the primary and end the release',
  pause: 'Hold the release where it is',
  resume: 'End a pause',
  retry: 'Start the analysis again from weight 0',
  approve: 'Open the gate that waits',
  reject: 'Refuse the gate that waits',
};

/** An update's answer is what the loop made of the order, not that it was noted. */
async function answerOrder(desk: Desk, name: OrderName, order: Partial<Order>): Promise<Receipt> {
  const entry: Entry = { name, order };
  desk.orders.push(entry);
  await condition(() => entry.answer !== undefined);
  const { answer } = entry;
  if (answer !== undefined && 'receipt' in answer) return answer.receipt;
  throw refused(answer?.refused ?? '');
}

async function answerRequest(
  desk: Desk,
  setImages: (request: ReleaseRequest) => Promise<{ readonly revision: string }>,
  request: ReleaseRequest,
): Promise<Receipt> {
  try {
    const { revision } = await setImages(request);
    desk.change = { revision };
    return { revision, message: `revision ${revision} is on its way` };
  } finally {
    desk.requestsAnswered += 1;
  }
}

function validateRequest(request: Partial<ReleaseRequest> | undefined): void {
  const { actor = '', images = {} } = request ?? {};
  if (actor === '') refuse('release needs an actor: who asks for it');
  const wrong = Object.entries(images).filter(([, image]) => typeof image !== 'string' || !image);
  if (Object.keys(images).length === 0 || wrong.length > 0) {
    refuse('release needs images: an object of container name → image');
  }
}

function refuse(reason: string | undefined): void {
  if (reason !== undefined) throw refused(reason);
}

function refused(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, 'Refused');
}

/** A plain client may send anything, or nothing. */
function orEmpty(order: Partial<Order> | undefined): Partial<Order> {
  return order ?? {};
}

/** Follows the orders that came in, oldest first, and answers each. */
export function followOrders(
  desk: Desk,
  plan: Plan,
  state: ReleaseState,
  now: number,
): ReleaseState {
  let current = state;
  for (const entry of desk.orders.splice(0)) {
    const { name, order } = entry;
    const reason = refusal(name, order, plan, current);
    if (reason !== undefined) {
      entry.answer = { refused: reason };
      continue;
    }
    current = follow({ plan, state: current, now }, name, order);
    entry.answer = {
      receipt: { revision: current.revision, message: `${name}: accepted, ${doing(current)}` },
    };
  }
  return current;
}
