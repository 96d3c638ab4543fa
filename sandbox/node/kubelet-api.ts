import { watch } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';

import type { ContainerRunner } from './container.js';
import { lastLines } from './log-file.js';
import { kubeletPort } from './node-object.js';
import type { Pods } from './pods.js';

/** How often a followed log is looked at when the file system says nothing, ms. */
const followMs = 200;
const chunkBytes = 65_536;
const everything = Number.MAX_SAFE_INTEGER;

/** Serves the part of the kubelet's https API that `kubectl logs` needs. */
export async function serveKubeletApi(
  address: string,
  tls: { readonly certFile: string; readonly keyFile: string },
  pods: Pods,
): Promise<void> {
  const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
  const server = createServer({ cert, key }, (request, response) => {
    respond(request, response, pods).catch((error: unknown) => {
      if (!response.headersSent) response.statusCode = 500;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(kubeletPort, address, resolve);
  });
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  pods: Pods,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://node');
  const runner = askedRunner(pathname, pods);
  if (runner === undefined) {
    response.statusCode = 404;
    response.end(`nothing at ${pathname}\n`);
    return;
  }
  const file = runner.logOf(searchParams.get('previous') === 'true' ? 'previous' : 'current');
  const asked = searchParams.get('tailLines');
  const tail = asked === null ? undefined : Number(asked);
  response.setHeader('Content-Type', 'text/plain');
  if (searchParams.get('follow') === 'true') {
    await follow(file, tail, { runner, request, response });
  } else {
    response.end(await (tail === undefined ? wholeLog(file) : lastLines(file, tail, everything)));
  }
}

/** The container of a path `/containerLogs/NAMESPACE/POD/CONTAINER`. */
function askedRunner(pathname: string, pods: Pods): ContainerRunner | undefined {
  const [, kind, namespace = '', pod = '', container = ''] = pathname.split('/');
  return kind === 'containerLogs' ? pods.find(namespace, pod)?.runner(container) : undefined;
}

/** A container that has not started yet has an empty log. */
function wholeLog(file: string): Promise<Buffer | string> {
  return readFile(file).catch(() => '');
}

type Following = {
  readonly runner: ContainerRunner;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

/** Sends what is there and what comes, until the run of the container is over or the client leaves. */
async function follow(
  file: string,
  tail: number | undefined,
  { runner, request, response }: Following,
): Promise<void> {
  const handle = await open(file);
  try {
    let position = 0;
    if (tail !== undefined) {
      response.write(await lastLines(file, tail, everything));
      position = (await handle.stat()).size;
    }
    while (!request.socket.destroyed) {
      const isOver = runner.record.state.kind !== 'running' || runner.logOf('current') !== file;
      position = await sendFrom(handle, position, response);
      if (isOver) break;
      await changeOf(file);
    }
  } finally {
    await handle.close();
    response.end();
  }
}

async function sendFrom(
  handle: FileHandle,
  from: number,
  response: ServerResponse,
): Promise<number> {
  const { size } = await handle.stat();
  // A log that has been cut starts again at its beginning.
  let position = size < from ? 0 : from;
  while (position < size) {
    const { bytesRead, buffer } = await handle.read(
      Buffer.alloc(chunkBytes),
      0,
      chunkBytes,
      position,
    );
    if (bytesRead === 0) break;
    response.write(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}

function changeOf(file: string): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
    const timer = setTimeout(finish, followMs);
    const watcher = watch(file, finish);
    watcher.on('error', finish);
  });
}
