import {
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { NamespaceNotFoundError, rootCause } from '@temporalio/common';

import { SluiceError } from './sluice-error.js';

/** gRPC status codes, by the names of https://grpc.io/docs/guides/status-codes. */
const code = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Puts an error of the Temporal client into a sentence; what is no such error comes back as it is. */
export function explain(error: unknown, address: string): unknown {
  if (error instanceof SluiceError) return error;
  const cause = { cause: error };
  if (error instanceof WorkflowUpdateFailedError) {
    return new SluiceError('refused', rootCause(error.cause) ?? error.message, cause);
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new SluiceError('no-answer', 'the release did not answer in time', cause);
  }
  if (error instanceof NamespaceNotFoundError) {
    const message = `Temporal at ${address} has no namespace "${error.namespace}"`;
    return new SluiceError('temporal', message, cause);
  }
  if (error instanceof WorkflowNotFoundError) {
    return new SluiceError('not-found', error.message, cause);
  }
  const { status, text } = grpcOf(error);
  switch (status) {
    case undefined:
      return error;
    case code.unavailable:
    case code.deadlineExceeded:
    case code.cancelled:
      return new SluiceError('unreachable', `cannot reach Temporal at ${address}: ${text}`, cause);
    case code.unauthenticated:
    case code.permissionDenied:
      return new SluiceError('temporal', `Temporal at ${address} denies access: ${text}`, cause);
    default:
      return new SluiceError('temporal', `Temporal at ${address} answers: ${text}`, cause);
  }
}

/** Whether the same call may succeed a little later: Temporal is restarting, busy or out of reach. */
export function isPassing(error: unknown): boolean {
  const { status } = grpcOf(error);
  return (
    status === code.unavailable ||
    status === code.deadlineExceeded ||
    status === code.resourceExhausted ||
    status === code.aborted
  );
}

/** Whether a query found nobody to answer it in time: no worker polls, or it is busy. */
export function isUnanswered(error: unknown): boolean {
  const { status } = grpcOf(error);
  return (
    status === code.deadlineExceeded ||
    status === code.cancelled ||
    // Temporal keeps few questions waiting per run.
    status === code.resourceExhausted ||
    status === code.failedPrecondition
  );
}

/** Whether an update came when its run was just closing, and may be sent again. */
export function isTooLate(error: unknown): boolean {
  if (error instanceof SluiceError) return isTooLate(error.cause);
  return error instanceof WorkflowNotFoundError || grpcOf(error).status === code.aborted;
}

function grpcOf(error: unknown): { readonly status?: number; readonly text?: string } {
  if (error instanceof SluiceError) return grpcOf(error.cause);
  const cause = error instanceof ServiceError ? error.cause : error;
  if (isGrpcServiceError(cause)) return { status: cause.code, text: plain(cause.details) };
  // The client gives up connecting with a plain error.
  if (error instanceof Error && error.message.startsWith('Failed to connect before')) {
    return { status: code.unavailable, text: 'nothing answers there' };
  }
  return {};
}

/** Takes the wrapping off gRPC's text for a refused connection. */
function plain(details: string): string {
  return /Last error: (?:Error: )?(.*?)\.? ?Resolution note:/.exec(details)?.[1] ?? details;
}
