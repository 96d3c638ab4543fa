import type { MoveInput } from '../../activities/contract.js';
import { hooks } from '../../workflows/proxies.js';

/** Nothing but the activity, as releases call it. */
export async function conclude(input: MoveInput<'conclude'>): Promise<void> {
  await hooks.conclude(input);
}
