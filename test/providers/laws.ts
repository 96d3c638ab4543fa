import fc from 'fast-check';
import { inspect } from 'node:util';

import type { MetricProvider } from '../../activities/metrics/provider.js';
import type { Measurement } from '../../domain/threshold.js';
import { startReplayServer, type Reply, type ReplayServer } from './replay-server.js';

/** A metric provider and what its vendor documents, for the laws every provider obeys. */
export interface Subject {
  /** Builds the provider with credentials that hold all of `secrets`. */
  readonly connect: (address: string, timeoutMs?: number) => MetricProvider;
  readonly secrets: readonly string[];
  readonly query: string;
  readonly value: { readonly reply: Reply; readonly expected: Measurement };
  /** Answers that say there is nothing to measure. */
  readonly noData: Readonly<Record<string, Reply>>;
  /** An answer with more than one series, and what is made of it. */
  readonly several: { readonly reply: Reply; readonly expected: Measurement | 'refused' };
  /** Answers of status 200 that are errors, besides those that are {@link garbage} anywhere. */
  readonly malformed: Readonly<Record<string, Reply>>;
  /** What a ping accepts. */
  readonly pong: Reply;
  /** How an error tells of a status; by its number, unless a vendor's library hides that. */
  readonly telling?: (status: number) => RegExp;
  /** Starts the server to ask, unless plain HTTP will do. */
  readonly start?: () => Promise<ReplayServer>;
}

/** Bodies that are no vendor's answer. */
const garbage: Readonly<Record<string, Reply>> = {
  'a page for people': { body: '<html><body>Sign in</body></html>' },
  'half of an answer': { body: '{"data":[{"val' },
  'a null': { body: 'null' },
  'a bare number': { body: '7' },
  'a bare string': { body: '"7"' },
  bytes: { body: '\u0000\u0001\ufffd' },
};

/** Holds a provider to the laws. To be called at the top of its test file. */
export function obeysTheLaws(subject: Subject): void {
  let server: ReplayServer;
  beforeEach(async () => {
    server = await (subject.start ?? startReplayServer)();
  });
  afterEach(() => server.stop());

  const ask = (timeoutMs?: number, signal?: AbortSignal): Promise<Measurement> =>
    subject.connect(server.address, timeoutMs).query(subject.query, signal);
  const telling = subject.telling ?? ((status: number) => new RegExp(`\\b${String(status)}\\b`));

  describe('a value, nothing to measure and an error are three things:', () => {
    it('a value is measured', async () => {
      server.answer(subject.value.reply);

      expect(await ask()).toEqual(subject.value.expected);
    });

    it.each(Object.entries(subject.noData))('%s is nothing to measure', async (_, reply) => {
      server.answer(reply);

      expect(await ask()).toEqual({ kind: 'no-data' });
    });

    it('several series give one number or an error', async () => {
      const { reply, expected } = subject.several;
      server.answer(reply);

      if (expected === 'refused') await expect(ask()).rejects.toThrow('multiple values returned');
      else expect(await ask()).toEqual(expected);
    });

    it.each(Object.entries({ ...garbage, ...subject.malformed }))(
      '%s is an error',
      async (_, reply) => {
        server.answer(reply);

        expect(await failureOf(ask())).toBeInstanceOf(Error);
      },
    );

    it.each([401, 403, 404, 429, 500, 503])('status %i is an error', async (status) => {
      server.answer({ status, body: subject.value.reply.body ?? '' });

      expect((await failureOf(ask())).message).toMatch(telling(status));
    });

    it('a server that is gone is an error', async () => {
      const { address } = server;
      await server.stop();

      const { message } = await failureOf(subject.connect(address).query(subject.query));

      expect(message).toMatch(/ECONNREFUSED/);
    });
  });

  describe('waiting ends', () => {
    it('when the time is up', async () => {
      void server.hang();

      expect((await failureOf(ask(200))).message).toMatch(/no answer within 0\.2 s/);
    });

    it('when the caller gives up, with the reason of the caller', async () => {
      const asked = server.hang();
      const controller = new AbortController();
      const reason = new Error('called off');
      const failed = failureOf(ask(undefined, controller.signal));
      await asked;
      controller.abort(reason);

      expect(await failed).toBe(reason);
    });

    it('before it begins when the caller has given up', async () => {
      server.answer(subject.value.reply);
      const reason = new Error('called off');

      expect(await failureOf(ask(undefined, AbortSignal.abort(reason)))).toBe(reason);
    });
  });

  describe('credentials', () => {
    it.each([301, 302, 307, 308])('stay behind at a redirect of status %i', async (status) => {
      const elsewhere = await startReplayServer();
      try {
        elsewhere.answer(subject.value.reply);
        server.answer({ status, headers: { location: `${elsewhere.address}/elsewhere` } });

        await ask().catch(() => undefined);

        expect(server.asked.length).toBeGreaterThan(0);
        for (const { headers, body, params } of elsewhere.asked) {
          expectNoneOf(subject.secrets, inspect({ headers, body, params }));
        }
      } finally {
        await elsewhere.stop();
      }
    });

    it.each([200, 401, 500])('are not in an error that follows an echo, %i', async (status) => {
      server.answer(({ headers, body, params }) => ({
        status,
        body: `got ${JSON.stringify(headers)} ${body} ${String(params)} ${subject.secrets.join(' ')}`,
      }));

      const error = await failureOf(ask());

      expectNoneOf(subject.secrets, inspect(error, { showHidden: true, depth: 9 }));
    });

    it('are not in an error about a server that is gone', async () => {
      const { address } = server;
      await server.stop();

      const error = await failureOf(subject.connect(address).query(subject.query));

      expectNoneOf(subject.secrets, inspect(error, { showHidden: true, depth: 9 }));
    });
  });

  describe('a ping', () => {
    const ping = (timeoutMs?: number, signal?: AbortSignal): Promise<void> =>
      subject.connect(server.address, timeoutMs).ping(signal);

    it('is answered', async () => {
      server.answer(subject.pong);

      await expect(ping()).resolves.toBeUndefined();
    });

    it.each([401, 403, 500])('fails on status %i', async (status) => {
      server.answer({ status, body: '{}' });

      expect((await failureOf(ping())).message).toMatch(telling(status));
    });

    it('fails when nobody answers', async () => {
      void server.hang();

      expect((await failureOf(ping(200))).message).toMatch(/no answer within 0\.2 s/);
    });

    it('ends when the caller gives up', async () => {
      const reason = new Error('called off');

      expect(await failureOf(ping(undefined, AbortSignal.abort(reason)))).toBe(reason);
    });
  });
}

/** What of a provider turns the body of an answer into a measurement. */
export interface Reader {
  readonly read: (body: string) => Measurement;
  /** An answer as documented, with this in the place of the number. */
  readonly bodyWith: (value: unknown) => string;
  /** How the API writes numbers: as such, or in strings, or in either way. */
  readonly numbers: 'json' | 'text' | 'both';
}

const fuzzing = { numRuns: 10_000 };

/** What is no finite number, and looks like one to somebody. */
const lookalikes = fc.constantFrom<unknown>(
  ...['', ' ', '7', '7.5', '-3e2', '0x10', '1_000', '1,5', '1e999', 'NaN', 'Infinity', '-Inf'],
  ...[true, false, null, [], [7], [[7]], {}, { value: 7 }, 1e308, -0, 0.1, 2 ** 53],
);

/** Holds the reading of answers to its laws, whatever the answer is. */
export function readsSafely({ read, bodyWith, numbers }: Reader): void {
  /** What was read; undefined when it was refused with words. */
  const readOrRefused = (body: string): Measurement | undefined => {
    try {
      return read(body);
    } catch (error) {
      if (!(error instanceof Error) || error instanceof TypeError || error.message === '')
        throw error;
      return undefined;
    }
  };
  const isSound = (measurement: Measurement | undefined): boolean =>
    measurement?.kind !== 'value' || Number.isFinite(measurement.value);

  describe('an answer of any kind', () => {
    it('never gives a number that it does not hold', () => {
      const values = fc.oneof(lookalikes, fc.jsonValue(), fc.double(), fc.maxSafeInteger());
      fc.assert(
        fc.property(values, (value) => {
          const measurement = readOrRefused(bodyWith(value));
          if (measurement?.kind !== 'value') return true;
          return isNumber(value, numbers) && measurement.value === Number(value);
        }),
        fuzzing,
      );
    });

    it('gives every number that it holds', () => {
      fc.assert(
        fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
          const held = numbers === 'text' ? String(value) : value;
          const read = readOrRefused(bodyWith(held));
          return read?.kind === 'value' && read.value === value;
        }),
        fuzzing,
      );
    });

    it('is read or refused when it is any text', () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.json()), (body) => isSound(readOrRefused(body))),
        fuzzing,
      );
    });

    it('is read or refused when part of it is lost or changed', () => {
      const body = bodyWith(numbers === 'text' ? '7.25' : 7.25);
      const place = fc.nat({ max: body.length });
      fc.assert(
        fc.property(place, place, fc.string({ maxLength: 8 }), (a, b, put) => {
          const changed = body.slice(0, Math.min(a, b)) + put + body.slice(Math.max(a, b));
          return isSound(readOrRefused(changed));
        }),
        fuzzing,
      );
    });
  });
}

function isNumber(value: unknown, numbers: Reader['numbers']): boolean {
  if (typeof value === 'number') return numbers !== 'text' && Number.isFinite(value);
  if (typeof value !== 'string' || numbers === 'json') return false;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) && Number.isFinite(Number(value));
}

export async function failureOf(asking: Promise<unknown>): Promise<Error> {
  const outcome = await asking.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if ('error' in outcome) return outcome.error as Error;
  throw new Error(`did not fail but answered ${inspect(outcome.answer)}`);
}

function expectNoneOf(secrets: readonly string[], text: string): void {
  const encoded = secrets.map((secret) => Buffer.from(secret).toString('base64'));
  for (const secret of [...secrets, ...encoded]) expect(text).not.toContain(secret);
}
