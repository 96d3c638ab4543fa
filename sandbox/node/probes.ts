import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';

import type {
  V1Container,
  V1ExecAction,
  V1HTTPGetAction,
  V1TCPSocketAction,
} from '@kubernetes/client-node';

import type { CommandResult } from './command.js';
import { grpcHealth } from './grpc-health.js';

/** The container a probe or hook looks at. */
export type ProbeTarget = {
  readonly container: V1Container;
  readonly podIp: string;
  readonly run: (argv: readonly string[], timeoutMs: number) => Promise<CommandResult>;
};

/** What may be looked at: the actions of probes and of lifecycle hooks. */
export type ProbeAction = {
  readonly exec?: V1ExecAction;
  readonly httpGet?: V1HTTPGetAction;
  readonly tcpSocket?: V1TCPSocketAction;
  readonly grpc?: { readonly port: number; readonly service?: string };
};

/** The answer of one look; the message says why it failed. */
export type ProbeResult = { readonly ok: boolean; readonly message: string };

/** Looks once. Never rejects: whatever goes wrong is a failure with a message. */
export async function probeOnce(
  action: ProbeAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  try {
    if (action.exec !== undefined) return await execProbe(action.exec, target, timeoutMs);
    if (action.httpGet !== undefined) return await httpProbe(action.httpGet, target, timeoutMs);
    if (action.tcpSocket !== undefined) return await tcpProbe(action.tcpSocket, target, timeoutMs);
    if (action.grpc !== undefined) {
      return await grpcHealth(target.podIp, action.grpc, timeoutMs);
    }
    return { ok: true, message: '' };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** The number of a port given by number or by the name a container port has. Throws when there is none. */
export function portNumber(port: number | string, container: V1Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (Number.isNaN(number)) throw new Error(`couldn't find port ${port} in the container's ports`);
  return number;
}

async function execProbe(
  action: V1ExecAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { exitCode, output, timedOut } = await target.run(action.command ?? [], timeoutMs);
  const message = timedOut ? `command timed out after ${timeoutMs} ms` : output.trim();
  return { ok: exitCode === 0, message };
}

function httpProbe(
  action: V1HTTPGetAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const isHttps = action.scheme === 'HTTPS';
  const host = action.host ?? target.podIp;
  const port = portNumber(action.port, target.container);
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.34', Accept: '*/*' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  const path = action.path ?? '/';
  const options = {
    ...{ host, port, headers, agent: false, rejectUnauthorized: false },
    path: path.startsWith('/') ? path : `/${path}`,
    signal: AbortSignal.timeout(timeoutMs),
  };
  return new Promise((resolve, reject) => {
    const request = (isHttps ? httpsRequest : httpRequest)(options, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      const ok = status >= 200 && status < 400;
      resolve({ ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` });
    });
    request.on('error', (error) => {
      const url = `${isHttps ? 'https' : 'http'}://${host}:${port}${options.path}`;
      const timedOut = error.name === 'AbortError' || error.name === 'TimeoutError';
      reject(new Error(`Get "${url}": ${timedOut ? 'deadline exceeded' : error.message}`));
    });
    request.end();
  });
}

function tcpProbe(
  action: V1TCPSocketAction,
  target: ProbeTarget,
  timeoutMs: number,
): Promise<ProbeResult> {
  const host = action.host ?? target.podIp;
  const port = portNumber(action.port, target.container);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (ok: boolean, why: string): void => {
      socket.destroy();
      resolve({ ok, message: ok ? '' : `dial tcp ${host}:${port}: ${why}` });
    };
    socket.setTimeout(timeoutMs, () => finish(false, 'i/o timeout'));
    socket.once('connect', () => finish(true, ''));
    socket.once('error', (error) => finish(false, error.message));
  });
}
