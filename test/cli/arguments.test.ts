import {
  addImage,
  nameOf,
  parseCanary,
  parseCount,
  parseRevision,
  parseTimeout,
  wantsJson,
} from '../../cli/arguments.js';

describe('the name of a canary', () => {
  it.each([
    ['shop/cart', { namespace: 'shop', name: 'cart' }],
    ['cart', { namespace: 'default', name: 'cart' }],
    ['shop/cart.v2', { namespace: 'shop', name: 'cart.v2' }],
  ])('%s is read', (text, canary) => {
    expect(parseCanary(text)).toEqual(canary);
  });

  it.each(['', '/', 'shop/', '/cart', 'Shop/cart', 'a/b/c', 'a.b/c', '-a/b', "shop/c'art"])(
    '"%s" is refused',
    (text) => {
      expect(() => parseCanary(text)).toThrow('NS/NAME');
    },
  );

  it('is printed with its namespace', () => {
    expect(nameOf(parseCanary('cart'))).toBe('default/cart');
  });
});

describe('an image', () => {
  it('is added to those before', () => {
    const images = addImage('sidecar=proxy:1', addImage('app=host:5000/team/app@sha256:0a=b'));

    expect(images).toEqual({ app: 'host:5000/team/app@sha256:0a=b', sidecar: 'proxy:1' });
  });

  it.each(['app', 'app=', '=app:1', 'App=app:1', 'app=app 1'])('"%s" is refused', (text) => {
    expect(() => addImage(text)).toThrow('CONTAINER=IMAGE');
  });

  it('is refused when its container has one', () => {
    expect(() => addImage('app=app:2', { app: 'app:1' })).toThrow('Container app is given twice');
  });
});

describe('other values', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
  ])('%s is a time', (text, ms) => {
    expect(parseTimeout(text)).toBe(ms);
  });

  it.each(['', '0', '30', '-1s', 'soon'])('"%s" is no time', (text) => {
    expect(() => parseTimeout(text)).toThrow('duration');
  });

  it("takes a revision literally, but no quote that would leave Temporal's filter", () => {
    expect(parseRevision('6cbf8d9f7c')).toBe('6cbf8d9f7c');
    expect(() => parseRevision("x' OR WorkflowId != '")).toThrow('revision');
  });

  it.each(['0', '-1', '1.5', 'all'])('"%s" is no count', (text) => {
    expect(() => parseCount(text)).toThrow('whole number');
  });
});

it.each([
  [['status', 'a', '-o', 'json'], true],
  [['-o=json', 'list'], true],
  [['-ojson', 'list'], true],
  [['list', '--output=json'], true],
  [['list', '--output', 'json'], true],
  [['list', '-o', 'text'], false],
  [['release', 'json', '--image', 'json=json'], false],
])('%j asks for JSON: %s', (words, expected) => {
  expect(wantsJson(words)).toBe(expected);
});
