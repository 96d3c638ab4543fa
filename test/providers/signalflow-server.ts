import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

/**
 * Starts the server of a SignalFlow stream: it lets in whoever has a token, sends the lines of a
 * reply's body as messages when a program is to be run, and closes the connection behind them.
 */
export async function startSignalFlowServer(): Promise<ReplayServer> {
  const sockets = new WebSocketServer({ noServer: true });
  return startReplayServer((request, connection, reply, asked) => {
    if (reply === undefined) return;
    if ((reply.status ?? 200) !== 200) {
      refuse(connection, reply);
      return;
    }
    sockets.handleUpgrade(request, connection, Buffer.alloc(0), (socket) => {
      const [upgraded] = asked.slice(-1);
      socket.on('message', (frame: Buffer) => {
        const body = frame.toString();
        if (upgraded !== undefined) asked.push({ ...upgraded, body });
        answer(socket, JSON.parse(body) as Told, reply.body ?? '');
      });
    });
  });
}

/** A body of these messages: objects are sent as text, buffers as they are. */
export function messages(...sent: readonly (object | Buffer)[]): { readonly body: string } {
  const lines = sent.map((message) =>
    Buffer.isBuffer(message) ? `base64:${message.toString('base64')}` : JSON.stringify(message),
  );
  return { body: lines.join('\n') };
}

interface Told {
  readonly type?: string;
}

function answer(socket: WebSocket, { type }: Told, body: string): void {
  if (type === 'authenticate') {
    socket.send('{"type":"authenticated","orgId":"o","userId":"u"}');
    return;
  }
  for (const line of body.split('\n')) {
    if (line.startsWith('base64:')) socket.send(Buffer.from(line.slice(7), 'base64'));
    else socket.send(line);
  }
  socket.close(1000, 'that is all');
}

function refuse(connection: Duplex, { status = 400, headers = {}, body = '' }: Reply): void {
  const fields = Object.entries({ ...headers, 'content-length': String(body.length) });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  connection.end(`HTTP/1.1 ${String(status)} Refused\r\n${lines}\r\n${body}`);
}

/** What one binary message carries. */
interface Points {
  readonly version?: 1 | 2;
  readonly type?: number;
  readonly flags?: number;
  readonly points?: readonly Buffer[];
}

/** A binary data message: header, when, how many, and the points. */
export function dataMessage({ version = 1, type = 5, flags = 0, points = [] }: Points): Buffer {
  const preface = Buffer.alloc(version === 1 ? 12 : 20);
  preface.writeBigUInt64BE(1_461_353_198_000n);
  preface.writeUInt32BE(points.length, preface.length - 4);
  return Buffer.concat([headerOf(version, type, flags), preface, ...points]);
}

/** A header, with the name of the channel. */
export function headerOf(version: number, type: number, flags: number): Buffer {
  const header = Buffer.alloc(20);
  header.set([version, type, flags]);
  header.write('ch-1', 4);
  return header;
}

/** A point of a type (null 0, long 1, double 2, int 3) in one of several series. */
export function pointOf(type: number, value: number, series = 1): Buffer {
  const point = Buffer.alloc(17);
  point.writeUInt8(type);
  point.writeBigUInt64BE(BigInt(series), 1);
  if (type === 2) point.writeDoubleBE(value, 9);
  else point.writeBigInt64BE(BigInt(value), 9);
  return point;
}
