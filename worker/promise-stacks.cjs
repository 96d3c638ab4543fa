/**
 * Loaded before the worker (`node --require`), in its workflow threads too. Temporal's SDK notes
 * the stack of every promise of a workflow, through the source map, for the call stack that its UI
 * can show; that is half of what running workflows costs. Releases tell where they are by their
 * current details and `sluice why` instead. Errors keep their stacks.
 */
const { promiseHooks } = require('node:v8');

const { createHook } = promiseHooks;

// Node's own AsyncLocalStorage goes through here too, with other hooks than the SDK's pair.
promiseHooks.createHook = (hooks) =>
  hooks.before === undefined && hooks.init !== undefined && hooks.settled !== undefined
    ? () => undefined
    : createHook(hooks);
