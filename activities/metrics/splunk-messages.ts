import { gunzipSync } from 'node:zlib';

import type { Measurement } from '../../domain/threshold.js';
import { list, measured, noData, object, objectOf, UnexpectedAnswer } from './answers.js';

/** What a message of a SignalFlow stream says, as far as it matters for one number. */
export type Message =
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'data'; readonly points: readonly Point[] }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'end' }
  | { readonly kind: 'other' };

/** A point of a time series. */
export interface Point {
  readonly series: string;
  readonly value: unknown;
}

/**
 * Reads a message: JSON in text frames, and either JSON or points in binary ones. Throws
 * {@link UnexpectedAnswer}.
 * Format: https://dev.splunk.com/observability/docs/signalflow/messages/stream_messages_specification
 */
export function messageIn(frame: Buffer, isBinary: boolean): Message {
  return isBinary ? binaryMessage(frame) : jsonMessage(frame.toString());
}

/** The last point of the one series there may be, of which empty points are left out. */
export function measurementOf(points: readonly Point[]): Measurement {
  const measurements = points.map(({ series, value }) => ({ series, measured: measured(value) }));
  const values = measurements.filter((point) => point.measured.kind === 'value');
  if (new Set(values.map(({ series }) => series)).size > 1) {
    throw new UnexpectedAnswer('multiple values returned');
  }
  return values.at(-1)?.measured ?? noData;
}

function jsonMessage(text: string): Message {
  const { type, data, event, error, message } = objectOf(text);
  switch (type) {
    case 'authenticated':
      return { kind: 'authenticated' };
    case 'data':
      return { kind: 'data', points: list(data, 'data').map(pointIn) };
    case 'error':
      return {
        kind: 'failed',
        reason: [error, message].filter(isShown).join(': '),
      };
    case 'control-message':
      return controlMessage(event);
    default:
      if (typeof type !== 'string') throw new UnexpectedAnswer('unreadable message');
      return { kind: 'other' };
  }
}

function isShown(part: unknown): boolean {
  return typeof part === 'number' || typeof part === 'string';
}

function controlMessage(event: unknown): Message {
  if (event === 'END_OF_CHANNEL') return { kind: 'end' };
  return event === 'CHANNEL_ABORT' ? { kind: 'failed', reason: 'aborted' } : { kind: 'other' };
}

function pointIn(element: unknown): Point {
  const { tsId, value } = object(element, 'a point');
  return { series: String(tsId), value };
}

/** Version, type, flags, one byte of reserve, and the name of the channel. */
const headerBytes = 20;
const typeAt = 1;
const flagsAt = 2;
const flags = { gzip: 1, json: 2 };
const dataType = 5;

/** Before the points: when they are from, in version 2 the delay, and how many they are. */
const prefaceBytes: Readonly<Record<number, number>> = { 1: 12, 2: 20 };
const pointBytes = 17;

/** No answer that is one number is longer than this, whatever it unpacks to. */
const maxBytes = 10 * 1024 * 1024;

function binaryMessage(frame: Buffer): Message {
  if (frame.length < headerBytes) throw new UnexpectedAnswer('a binary message without a header');
  const type = frame.readUInt8(typeAt);
  const flag = frame.readUInt8(flagsAt);
  const packed = frame.subarray(headerBytes);
  const body = (flag & flags.gzip) === 0 ? packed : unpacked(packed);
  if ((flag & flags.json) !== 0) return jsonMessage(body.toString());
  return type === dataType
    ? { kind: 'data', points: pointsIn(frame.readUInt8(0), body) }
    : { kind: 'other' };
}

function unpacked(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch {
    throw new UnexpectedAnswer('a message that cannot be unpacked');
  }
}

function pointsIn(version: number, body: Buffer): readonly Point[] {
  const start = prefaceBytes[version];
  if (start === undefined) throw new UnexpectedAnswer(`data of version ${String(version)}`);
  const count = body.length < start ? -1 : body.readUInt32BE(start - 4);
  if (body.length !== start + count * pointBytes) {
    throw new UnexpectedAnswer('data of another length than it says');
  }
  return Array.from({ length: count }, (_, i) => pointAt(body, start + i * pointBytes));
}

/** A byte for the type, eight for the series, and eight for the value. */
function pointAt(body: Buffer, at: number): Point {
  const series = body.toString('hex', at + 1, at + 9);
  const value = body.subarray(at + 9, at + pointBytes);
  switch (body.readUInt8(at)) {
    case 0:
      return { series, value: null };
    case 1:
      return { series, value: Number(value.readBigInt64BE()) };
    case 2:
      return { series, value: value.readDoubleBE() };
    case 3:
      return { series, value: shortInteger(value) };
    default:
      throw new UnexpectedAnswer('a point of unknown type');
  }
}

/** Four bytes in the place of eight: the vendor's clients differ over whether the first or last. */
function shortInteger(value: Buffer): number {
  if (value.readInt32BE(4) === 0) return value.readInt32BE(0);
  const whole = value.readBigInt64BE();
  if (BigInt.asIntN(32, whole) === whole) return Number(whole);
  throw new UnexpectedAnswer('an integer of more than 32 bits');
}
