/** What Flagger's behaviour is written down as: the rows of the table of traps, and the traces. */
const rows = [
  ...['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'B7', 'B8', 'B9', 'B10', 'B11', 'B12', 'B13'],
  ...['B14', 'B15', 'B16', 'B17', 'B18', 'B19', 'B20', 'B21', 'B22', 'B23', 'B24', 'B25', 'B26'],
  ...['D1', 'D2', 'D3', 'D4', 'D5', 'D6', 'D7', 'D8', 'D9'],
  ...['R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8'],
  ...['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S6b', 'S7', 'S8', 'S8b', 'S9', 'S10', 'S11', 'S12'],
  ...['S13', 'S14', 'S15', 'S16', 'S17', 'S18'],
  ...['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'M1', 'M2', 'M3', 'M4', 'M5', 'A1', 'A2', 'A3'],
  ...['F1', 'F2', 'F3', 'V1', 'V2', 'V3'],
  ...['13.1', '13.2', '13.3', '13.4', '13.5'],
] as const;

export type Row = (typeof rows)[number];

/** The name of a test that holds Sluice to what Flagger does. */
export function same(row: Row, what: string): string {
  return `${row} same: ${what}`;
}

/**
 * The name of a test that holds Sluice to something else than what Flagger does.
 *
 * @param what happens, or what Flagger makes of it
 * @param instead what Sluice does
 */
export function differs(row: Row, what: string, instead: string): string {
  return `${row} differs: ${what}: ${instead}`;
}

/** Counts of the verdicts in the names of tests, and the rows that have no test. */
export function summaryOf(titles: readonly string[]): string {
  const verdicts = titles.flatMap((title) => {
    const [, row = '', verdict = ''] = /^(\S+) (same|differs):/.exec(title) ?? [];
    return row === '' ? [] : [{ row, verdict }];
  });
  const count = (of: string): number => verdicts.filter(({ verdict }) => verdict === of).length;
  const untested = rows.filter((row) => !verdicts.some((verdict) => verdict.row === row));
  return [
    `conformance with Flagger: ${count('same')} same, ${count('differs')} different on purpose`,
    ...(untested.length === 0 ? [] : [`rows without a test: ${untested.join(', ')}`]),
  ].join('\n');
}
