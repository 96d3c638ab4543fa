import type { Measurement } from '../../domain/threshold.js';
import { measured, UnexpectedAnswer } from './answers.js';

const form = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([A-Za-z]{1,2}))?$/;

/** Powers of ten, which are parsed rather than multiplied by: `1500m` is exactly 1.5. */
const powers: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const factors: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * The number that a quantity of Kubernetes is in words. Throws {@link UnexpectedAnswer}.
 * Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function quantityOf(value: unknown): Measurement {
  if (typeof value !== 'string') throw new UnexpectedAnswer('what has no words is not a quantity');
  const [, digits, exponent = '0', suffix] = form.exec(value) ?? [];
  const power = suffix === undefined ? exponent : powers[suffix];
  const factor = suffix === undefined ? undefined : factors[suffix];
  if (digits !== undefined && power !== undefined) {
    return measured(Number(`${digits}e${String(power)}`));
  }
  if (digits !== undefined && factor !== undefined) return measured(Number(digits) * factor);
  throw new UnexpectedAnswer(`${JSON.stringify(value)} is not a quantity`);
}
