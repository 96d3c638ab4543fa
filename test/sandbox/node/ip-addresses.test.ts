import { AddressPool } from '../../../sandbox/node/ip-addresses.js';

it('hands out every address once before one comes back', () => {
  const pool = new AddressPool('10.1.2.0/29');
  const all = [pool.take(), pool.take(), pool.take(), pool.take(), pool.take()];
  expect(all).toEqual(['10.1.2.2', '10.1.2.3', '10.1.2.4', '10.1.2.5', '10.1.2.6']);
  expect(() => pool.take()).toThrow('no free address in 10.1.2.0/29');
  pool.free('10.1.2.4');
  expect(pool.take()).toBe('10.1.2.4');
});

it('crosses byte boundaries', () => {
  const pool = new AddressPool('10.244.0.0/16');
  const addresses = Array.from({ length: 256 }, () => pool.take());
  expect(addresses.at(-1)).toBe('10.244.1.1');
});
