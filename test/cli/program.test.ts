import { run } from '../../cli/program.js';

async function sluice(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await run(words, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

describe('a mistake in the command line is one line that names it', () => {
  it.each([
    [['roll-back', 'a'], "unknown command 'roll-back' (commands: release, wait, status, "],
    [['status'], "missing required argument 'NS/NAME' (usage: sluice status [options] <NS/NAME>)"],
    [['status', 'a', 'b'], "too many arguments for 'status'. Expected 1 argument but got 2 "],
    [
      ['status', 'A'],
      "command-argument value 'A' is invalid for argument 'NS/NAME'. It is NS/NAME",
    ],
    [
      ['pause', 'a', '--why', 'b'],
      "unknown option '--why' (options: --reason, --revision, --actor",
    ],
    [['release', 'a'], "required option '--image <CONTAINER=IMAGE>' not specified"],
    [['release', 'a', '--image', 'b'], "argument 'b' is invalid. It is CONTAINER=IMAGE"],
    [['wait', 'a', '--timeout', '5'], "argument '5' is invalid. It is a duration such as 90s"],
    [['-o', 'yaml', 'list'], "argument 'yaml' is invalid. Allowed choices are text, json."],
    [['list', '--profile', 'none'], "Temporal's configuration cannot be used: "],
  ])('%j', async (words, message) => {
    const { code, out, err } = await sluice(...words);

    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain(message);
    expect(err).toMatch(/^sluice: [^\n]+\n$/);
  });

  it('and a JSON document for programs', async () => {
    const { code, out, err } = await sluice('roll-back', '-o', 'json');

    expect(code).toBe(1);
    expect(err).toBe('');
    expect(JSON.parse(out)).toMatchObject({ error: { kind: 'usage' } });
  });
});

describe('help', () => {
  it('lists the commands, the exit codes and the environment', async () => {
    const { code, out } = await sluice('--help');

    expect(code).toBe(0);
    expect(out).toContain('release [options] <NS/NAME>');
    expect(out).toContain('3 timed out  4 superseded');
    expect(out).toContain('TEMPORAL_ADDRESS');
  });

  it('of a command names its own options and the shared ones', async () => {
    const { code, out } = await sluice('rollback', '--help');

    expect(code).toBe(0);
    expect(out).toContain('--reason <TEXT>');
    expect(out).toContain('--cluster <NAME>');
  });

  it('is shown, as an error, when no command is given', async () => {
    const { code, err } = await sluice();

    expect(code).toBe(1);
    expect(err).toContain('Usage: sluice');
  });
});
