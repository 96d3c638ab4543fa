import { connect } from 'node:http2';

/**
 * Asks a gRPC server's standard health service. The two messages are so small that they are written and
 * read here byte by byte: a request with an optional service name, an answer with one enum.
 */
export function grpcHealth(
  host: string,
  { port, service }: { readonly port: number; readonly service?: string },
  timeoutMs: number,
): Promise<{ ok: boolean; message: string }> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${host}:${port}`);
    const timer = setTimeout(() => fail(new Error('deadline exceeded')), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      session.destroy();
      reject(new Error(`gRPC health check of ${host}:${port}: ${error.message}`));
    };
    session.on('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    call.on('error', fail);
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.on('end', () => {
      clearTimeout(timer);
      session.close();
      const ok = isServing(Buffer.concat(chunks));
      resolve({ ok, message: ok ? '' : 'service unhealthy (responded without "SERVING")' });
    });
    call.end(checkRequest(service ?? ''));
  });
}

/** Frame: one byte "not compressed", four bytes length, then the message: field 1, the service's name. */
function checkRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/** The answer's message is field 1 with the value 1 (SERVING). */
function isServing(frame: Buffer): boolean {
  return frame.subarray(5).equals(Buffer.from([0x08, 0x01]));
}
