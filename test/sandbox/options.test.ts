import { UsageError, parseOptions } from '../../sandbox/options.js';

describe('the command line of the sandbox', () => {
  it('asks for every part under the default name', () => {
    expect(parseOptions([])).toEqual({
      name: 'default',
      parts: ['contour', 'prometheus', 'temporal', 'worker', 'demo'],
      images: [],
      forwards: [],
      join: false,
    });
  });

  it.each([
    [
      ['--without', 'worker', '--without', 'demo'],
      ['contour', 'prometheus', 'temporal'],
    ],
    [['--only', 'temporal'], ['temporal']],
    [['--only', 'control-plane'], []],
    [['--only', 'demo', '--only', 'contour', '--without', 'demo'], ['contour']],
    [
      ['--only', 'contour,temporal'],
      ['contour', 'temporal'],
    ],
    [
      ['--without', 'worker,demo', '--with', 'traefik,skipper'],
      ['contour', 'prometheus', 'temporal', 'traefik', 'skipper'],
    ],
    [
      ['--only', 'temporal', '--with', 'skipper'],
      ['temporal', 'skipper'],
    ],
  ])('chooses the parts by %j', (args, parts) => {
    expect(parseOptions(args)?.parts).toEqual(parts);
  });

  it('reads further services to reach', () => {
    expect(parseOptions(['--forward', 'web=web.demo:80'])?.forwards).toEqual([
      { name: 'web', target: 'web.demo:80', preferredPort: 0 },
    ]);
  });

  it('returns nothing when help is wanted', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
  });

  it.each([
    [['--without', 'envoy'], 'must be one of contour, prometheus, temporal, worker, demo'],
    [['--with', 'contour'], 'must be one of traefik, skipper, istio'],
    [['--only', 'x'], 'must be one of control-plane, contour'],
    [['--name', 'No Good'], 'use up to 40 of a-z, 0-9 and -'],
    [['--images', '/does/not/exist.json'], 'no such file'],
    [['--forward', 'web=web:80'], 'must be NAME=SERVICE.NAMESPACE:PORT'],
    [['--join'], '--join needs --exec'],
    [['--colour'], '--colour'],
    [['something'], 'something'],
  ])('refuses %j and says what is allowed', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
