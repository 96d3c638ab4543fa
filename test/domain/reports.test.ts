import { begin } from '../../domain/begin.js';
import { making, nextMove } from '../../domain/next-move.js';
import { rollBack } from '../../domain/turn.js';
import { aPlan } from '../workflows/fake-cluster.js';
import { goodWorld, simulate } from './simulate.js';

const status = { phase: 'Succeeded', lastAppliedSpec: 'v1', lastPromotedSpec: 'v1' } as const;
const plan = aPlan();
const begun = begin(
  { kind: 'ready', plan, status: { ...status, observedGeneration: 1 }, revision: 'v2', images: [] },
  { kind: 'change' },
  undefined,
  1_000,
);

describe('the key of what a move tells', () => {
  it('is another one for each move, so that no event is taken for an earlier one', () => {
    const { moves } = simulate(plan, begun, goodWorld);
    const keys = moves.flatMap((move) => ('report' in move ? [move.report.key] : []));

    expect(keys.length).toBeGreaterThan(5);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is another one for the rollback that cuts a move short', () => {
    const cut = nextMove(plan, begun, 1_000);
    const state = making(begun, cut);
    const turn = { plan, state, now: 1_100 };
    const next = nextMove(plan, rollBack(turn, { type: 'RolledBack', message: '' }), 1_100);

    expect(cut).toMatchObject({ kind: 'scaleUp', report: { key: '0' } });
    expect(next).toMatchObject({ kind: 'rollBack', report: { key: '1' } });
  });

  it('stays the same for a move that failed and is tried again', () => {
    expect(nextMove(plan, begun, 2_000)).toEqual(nextMove(plan, begun, 1_000));
  });
});
