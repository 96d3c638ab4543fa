import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import {
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  decode,
  encode,
} from 'dns-packet';
import type { Packet } from 'dns-packet';

import { resolve } from './dns-answers.js';
import type { Zone } from './dns-answers.js';

const dnsPort = 53;
/** A client that says nothing for this long over TCP is dropped, ms. */
const idleMs = 10_000;
const nameError = 3;

/** Serves the names of the cluster over UDP and TCP; every other name does not exist. */
export async function serveDns(address: string, zone: Zone): Promise<void> {
  const udp = createSocket('udp4');
  udp.on('message', (message, client) => {
    const answer = answerTo(message, zone, 'udp');
    if (answer !== undefined) udp.send(answer, client.port, client.address);
  });
  // A client that is gone before its answer arrives must not end the agent.
  udp.on('error', () => undefined);
  udp.bind(dnsPort, address);

  const tcp = createServer((socket) => serveStream(socket, zone));
  tcp.listen(dnsPort, address);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
}

/** Over TCP each message is preceded by its length in two bytes. */
function serveStream(socket: Socket, zone: Zone): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const length = received.readUInt16BE(0);
      const answer = answerTo(received.subarray(2, 2 + length), zone, 'tcp');
      received = received.subarray(2 + length);
      if (answer === undefined) continue;
      const size = Buffer.alloc(2);
      size.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([size, answer]));
    }
  });
}

/** The wire form of the answer; undefined for what is no question at all. */
function answerTo(message: Buffer, zone: Zone, transport: 'udp' | 'tcp'): Buffer | undefined {
  let query: Packet;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  const [question] = query.questions ?? [];
  if (query.type !== 'query' || question === undefined) return undefined;
  const { found, answers } = resolve(question, zone);
  const recursionDesired = (query.flags ?? 0) & RECURSION_DESIRED;
  const response: Packet = {
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    // Stub resolvers expect a server that looks further; there is nowhere further to look.
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | recursionDesired | (found ? 0 : nameError),
    questions: [question],
    answers: [...answers],
  };
  const wire = encode(response);
  if (transport === 'tcp' || wire.length <= datagramLimit(query)) return wire;
  return encode({ ...response, flags: (response.flags ?? 0) | TRUNCATED_RESPONSE, answers: [] });
}

/** Bytes the client takes in one datagram; it asks again over TCP for what is longer. */
function datagramLimit({ additionals = [] }: Packet): number {
  const [extension] = additionals.flatMap((record) => (record.type === 'OPT' ? [record] : []));
  return Math.max(512, extension?.udpPayloadSize ?? 0);
}
