import { formatDuration, parseDuration } from '../../domain/duration.js';

describe('durations', () => {
  it.each([
    ['1m30s', 90_000],
    ['500ms', 500],
    ['0', 0],
    ['1.5h', 5_400_000],
    ['-2s', -2_000],
    ['5', undefined],
    ['1min', undefined],
    ['', undefined],
  ])('%j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    [1_515, '1.515s'],
    [500, '500ms'],
    [0, '0s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
  ])('%i ms prints as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
