/** The number a Kubernetes quantity such as `500m`, `64Mi` or `2` stands for; NaN when it is none. */
export function quantityValue(quantity: string): number {
  const match = /^([0-9.]+(?:e[0-9]+)?)([a-zA-Z]*)$/.exec(quantity);
  const factor = match?.[2] === undefined ? undefined : factors[match[2]];
  return factor === undefined ? Number.NaN : Number(match?.[1]) * factor;
}

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
