import fc from 'fast-check';

import { renderTemplate, type TemplateValues } from '../../domain/template.js';

const values: TemplateValues = {
  name: 'podinfo',
  namespace: 'test',
  target: 'podinfo-app',
  service: 'podinfo-svc',
  ingress: 'web',
  route: 'api',
  interval: '1m',
  variables: { direction: 'inbound', 'my-key': 'dashed', empty: '' },
};

function rendered(text: string): string {
  const result = renderTemplate(text, values);
  return result.ok ? result.text : `problem: ${result.problem}`;
}

describe('what templates insert', () => {
  it.each([
    [
      'every name',
      '{{ name }} {{namespace}} {{ target }} {{ service }} {{ ingress }} {{ route }} {{ interval }}',
      'podinfo test podinfo-app podinfo-svc web api 1m',
    ],
    ['a variable', '{{ variables.direction }}', 'inbound'],
    ['a variable by index', '{{ index variables "my-key" }}', 'dashed'],
    ['nothing for a key index does not find', '[{{ index variables "missing" }}]', '[]'],
    [
      'all variables as Go prints a map',
      '{{ variables }}',
      'map[direction:inbound empty: my-key:dashed]',
    ],
    [
      'nothing where there is no action',
      'sum(rate(a{b="{c}"}[1m])) }}',
      'sum(rate(a{b="{c}"}[1m])) }}',
    ],
    ['nothing for an empty template', '', ''],
    ['text without the space around trimmed actions', 'a  {{- name -}}  b', 'apodinfob'],
    ['text without the space around trimmed comments', 'a {{- /* why */ -}} b', 'ab'],
    ['nothing for a comment', 'a{{/* }} */}}b', 'ab'],
    ['strings with braces in them', '{{ "}}" }}{{ `{{` }}', '}}{{'],
    ['numbers as Go prints them', '{{ 1000000 }} {{ -1.50 }}', '1e+06 -1.5'],
    [
      'a piped value as the last argument',
      '{{ name | printf "%s-%q" namespace }}',
      'test-"podinfo"',
    ],
    ['the value of parentheses', '{{ printf "%s" (index variables "direction") }}', 'inbound'],
    ['fields of parentheses', '{{ (variables).direction }}', 'inbound'],
    ['numbers as told', '{{ printf "%d %.2f %v%%" 7 1.005 2 }}', '7 1.00 2%'],
    ['the branch that holds', '{{ if eq namespace "prod" "test" }}yes{{ else }}no{{ end }}', 'yes'],
    [
      'the other branch',
      '{{ if variables.empty }}yes{{ else if not name }}maybe{{ else }}no{{ end }}',
      'no',
    ],
    ['nothing without another branch', '[{{ if ne name "podinfo" }}x{{ end }}]', '[]'],
    ['joined conditions', '{{ if and name (or variables.empty service) }}yes{{ end }}', 'yes'],
    ['an action over several lines', '{{ printf\n  "%s"\n  name }}', 'podinfo'],
  ])('%s', (_, text, expected) => {
    expect(rendered(text)).toBe(expected);
  });

  it('inserts values raw', () => {
    const result = renderTemplate('{{ variables.x }}', {
      ...values,
      variables: { x: '"<{{ y }}>' },
    });

    expect(result).toEqual({ ok: true, text: '"<{{ y }}>' });
  });
});

describe('what templates get wrong', () => {
  const allowed = 'name, namespace, target, service, ingress, route, interval, variables';

  it.each([
    [
      'an unknown function',
      '\n{{ foo }}',
      `line 2: "foo" is not defined (allowed: ${allowed}, index`,
    ],
    [
      'range',
      '{{ range variables }}x{{ end }}',
      'line 1: {{range}} is not supported (supported: if, else, end)',
    ],
    [
      'a missing variable',
      '{{ variables.missing }}',
      'line 1: variable "missing" is missing in templateVariables (it has: direction, empty, my-key)',
    ],
    ['a dashed variable', '{{ variables.my-key }}', 'line 1: unexpected "-" in an action'],
    [
      'fields of nothing',
      '{{ .Name }}',
      'line 1: .Name has nothing to read from; write variables.Name',
    ],
    ['a field of a string', '{{ name.first }}', 'line 1: name has no field first'],
    ['a field of a variable', '{{ variables.direction.x }}', 'has no field x'],
    ['an inherited property', '{{ variables.constructor }}', 'variable "constructor" is missing'],
    ['an inherited function', '{{ constructor }}', '"constructor" is not defined'],
    ['an unclosed action', 'a {{ name', 'line 1: unclosed action, }} is missing'],
    ['an empty action', '{{ }}', 'line 1: a value is missing'],
    ['an empty pipe', '{{ name | }}', 'a value is missing'],
    ['an unclosed parenthesis', '{{ (name }}', 'unclosed ('],
    ['a stray parenthesis', '{{ name ) }}', 'unexpected )'],
    ['an unclosed string', '{{ "a }}', 'unexpected "\\"" in an action'],
    ['an unclosed comment', '{{/* a', 'in an action'],
    [
      'text behind a comment',
      'a{{/* a */ name }}{{/* b */}}',
      'a comment must end right before }}',
    ],
    ['a later line', 'a\n{{ name\n}}\n{{/*\n*/}}\n{{ foo }}', 'line 6: "foo"'],
    ['an unclosed if', '{{ if name }}a', 'line 1: {{if}} without {{end}}'],
    [
      'an if closed by a second else',
      '{{ if name }}{{ else }}{{ else }}{{ end }}',
      'without {{end}}',
    ],
    ['a stray end', 'a{{ end }}', 'line 1: unexpected {{end}}'],
    ['arguments for a name', '{{ name "x" }}', 'name takes no arguments'],
    ['a pipe into a name', '{{ "x" | namespace }}', 'namespace takes no arguments'],
    ['too few arguments', '{{ eq name }}', 'eq needs more arguments'],
    ['a verb without value', '{{ printf "%s" }}', 'printf: nothing is given for %s'],
    ['a value without verb', '{{ printf "a" name }}', 'printf: more values than verbs'],
    ['an unknown verb', '{{ printf "%x" name }}', 'printf: %x does not print podinfo'],
    ['deep nesting', `{{ ${'('.repeat(10_000)}name }}`, 'nested too deeply'],
    ['deep branches', '{{ if name }}'.repeat(10_000), 'nested too deeply'],
  ])('%s', (_, text, problem) => {
    const result = renderTemplate(text, values);

    expect(result).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});

describe('any text at all', () => {
  const alphabet = [
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '|',
    '(',
    ')',
    '"',
    '`',
    '\\',
    '.',
    '-',
    '/*',
    '*/',
    '%s',
    '1',
    'if',
    'else',
    'end',
    'name',
    'index',
    'printf',
    'eq',
    'variables',
    '.direction',
    'é',
    '\u0000',
  ];
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.array(fc.constantFrom(...alphabet), { maxLength: 40 }).map((parts) => parts.join('')),
  );

  it('is rendered or refused, quickly', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const result = renderTemplate(text, values);
        return result.ok ? typeof result.text === 'string' : result.problem.startsWith('line ');
      }),
      { numRuns: 10_000, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    );
  });

  it('stays as it is without actions', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('{{'));
        expect(renderTemplate(text, values)).toEqual({ ok: true, text });
      }),
    );
  });

  it('takes time in proportion to its length', () => {
    const text = '{{ "a" | printf "%s" }} {{- name -}} '.repeat(20_000) + '{{ "';

    expect(renderTemplate(text, values).ok).toBe(false);
  }, 3_000);
});
