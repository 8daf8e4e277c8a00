import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ArgumentsError } from './json-reader.ts'
import { parseExecCommandArguments, parseWriteStdinArguments } from './parse-arguments.ts'

// What codex 0.133.0 answered to each text, without `failed to parse function arguments: `.
const EXEC_COMMAND_FAILURES: readonly (readonly [string, string])[] = [
  ['', 'EOF while parsing a value at line 1 column 0'],
  ['{', 'EOF while parsing an object at line 1 column 1'],
  ['{}', 'missing field `cmd` at line 1 column 2'],
  ['null', 'invalid type: null, expected struct ExecCommandEnvironmentArgs at line 1 column 4'],
  [
    '"x"',
    'invalid type: string "x", expected struct ExecCommandEnvironmentArgs at line 1 column 3',
  ],
  ['5', 'invalid type: integer `5`, expected struct ExecCommandEnvironmentArgs at line 1 column 1'],
  ['{"cmd":5}', 'invalid type: integer `5`, expected a string at line 1 column 8'],
  ['{"cmd":null}', 'invalid type: null, expected a string at line 1 column 11'],
  ['{"cmd":"a"', 'EOF while parsing an object at line 1 column 10'],
  ['{"cmd":"a",}', 'trailing comma at line 1 column 12'],
  ['{cmd:1}', 'key must be a string at line 1 column 2'],
  ['not json', 'expected ident at line 1 column 2'],
  ['{\n  "login": true\n}', 'missing field `cmd` at line 3 column 1'],
  ['{\n  "login": true\n}\n\n', 'missing field `cmd` at line 3 column 1'],
  ['{"login":true} ', 'missing field `cmd` at line 1 column 14'],
  ['{"cmd":"pwd"} x', 'trailing characters at line 1 column 15'],
  [
    '{"cmd":"pwd","login":"yes"}',
    'invalid type: string "yes", expected a boolean at line 1 column 26',
  ],
  [
    '{"cmd":"pwd","yield_time_ms":"5"}',
    'invalid type: string "5", expected u64 at line 1 column 32',
  ],
  [
    '{"cmd":"pwd","yield_time_ms":5.5}',
    'invalid type: floating point `5.5`, expected u64 at line 1 column 32',
  ],
  [
    '{"cmd":"pwd","yield_time_ms":-1}',
    'invalid value: integer `-1`, expected u64 at line 1 column 31',
  ],
  [
    '{"cmd":"pwd","yield_time_ms":1e3}',
    'invalid type: floating point `1000.0`, expected u64 at line 1 column 32',
  ],
  ['{"cmd":"pwd","yield_time_ms":null}', 'invalid type: null, expected u64 at line 1 column 33'],
  [
    '{"cmd":"pwd","max_output_tokens":-3}',
    'invalid value: integer `-3`, expected usize at line 1 column 35',
  ],
  ['{"cmd":"pwd","tty":null}', 'invalid type: null, expected a boolean at line 1 column 23'],
  ['{"cmd":"pwd","tty":1}', 'invalid type: integer `1`, expected a boolean at line 1 column 20'],
  ['{"cmd":"pwd","workdir":5}', 'invalid type: integer `5`, expected a string at line 1 column 24'],
  ['{"cmd":"pwd","shell":5}', 'invalid type: integer `5`, expected a string at line 1 column 22'],
  [
    '{"cmd":"pwd","sandbox_permissions":"foo"}',
    'unknown variant `foo`, expected one of `use_default`, `require_escalated`, ' +
      '`with_additional_permissions` at line 1 column 40',
  ],
  ['{"cmd":"pwd","sandbox_permissions":null}', 'expected value at line 1 column 36'],
  ['{"cmd":"pwd","sandbox_permissions":5}', 'expected value at line 1 column 36'],
  [
    '{"cmd":"pwd","prefix_rule":"x"}',
    'invalid type: string "x", expected a sequence at line 1 column 30',
  ],
  [
    '{"cmd":"pwd","prefix_rule":[1]}',
    'invalid type: integer `1`, expected a string at line 1 column 29',
  ],
  [
    '{"cmd":"pwd","justification":5}',
    'invalid type: integer `5`, expected a string at line 1 column 30',
  ],
  ['{"cmd":"pwd","cmd":"ls"}', 'duplicate field `cmd` at line 1 column 18'],
  ['{"cmd":["ls"]}', 'invalid type: sequence, expected a string at line 1 column 7'],
  ['{"cmd":{"a":1}}', 'invalid type: map, expected a string at line 1 column 7'],
  ['{"cmd":true}', 'invalid type: boolean `true`, expected a string at line 1 column 11'],
  ['{"cmd":1.5}', 'invalid type: floating point `1.5`, expected a string at line 1 column 10'],
  [
    '{"cmd":"a\nb"}',
    'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 9',
  ],
  ['{"cmd":"\\x"}', 'invalid escape at line 1 column 10'],
  ['{"cmd":"\\ud800"}', 'unexpected end of hex escape at line 1 column 15'],
  [
    '{"cmd":"pwd","yield_time_ms":99999999999999999999999}',
    'invalid type: floating point `1e+23`, expected u64 at line 1 column 52',
  ],
  ['{"cmd":"a" "b"}', 'expected `,` or `}` at line 1 column 12'],
  ['{"cmd" "a"}', 'expected `:` at line 1 column 8'],
  ['{"cmd":tru}', 'expected ident at line 1 column 11'],
  ['{"cmd":"pwd","login":fals}', 'expected ident at line 1 column 26'],
  ['{"é":1}', 'missing field `cmd` at line 1 column 8'],
  ['{"cmd":"abc', 'EOF while parsing a string at line 1 column 11'],
  ['{"cmd":01}', 'invalid number at line 1 column 9'],
  ['{"cmd":-}', 'invalid number at line 1 column 9'],
  [
    '{"cmd":"pwd","yield_time_ms":18446744073709551616}',
    'invalid type: floating point `1.8446744073709552e+19`, expected u64 at line 1 column 49',
  ],
  [
    '{"cmd":"pwd","yield_time_ms":true}',
    'invalid type: boolean `true`, expected u64 at line 1 column 33',
  ],
  ['{"cmd":"pwd","yield_time_ms":[1]}', 'invalid type: sequence, expected u64 at line 1 column 29'],
  ['{"cmd":"pwd","yield_time_ms":{}}', 'invalid type: map, expected u64 at line 1 column 29'],
  ['{"cmd":"pwd","login":[1,2]}', 'invalid type: sequence, expected a boolean at line 1 column 21'],
  ['{,}', 'key must be a string at line 1 column 2'],
  ['{"a":1,,}', 'key must be a string at line 1 column 8'],
  [
    '{"cmd":"\t"}',
    'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 8',
  ],
  ['{"cmd":"\\u12"}', 'invalid escape at line 1 column 14'],
  ['{"cmd":"\\u12zz"}', 'invalid escape at line 1 column 14'],
  [' {"login":\n"x", "cmd":3}', 'invalid type: string "x", expected a boolean at line 2 column 3'],
  ['{"x":[1,2,{"a":nul}]}', 'expected ident at line 1 column 19'],
  ['{1:2}', 'key must be a string at line 1 column 2'],
  [
    '{"cmd":"pwd","environment_id":5}',
    'invalid type: integer `5`, expected a string at line 1 column 31',
  ],
]

const WRITE_STDIN_FAILURES: readonly (readonly [string, string])[] = [
  ['{}', 'missing field `session_id` at line 1 column 2'],
  ['{"session_id":"5"}', 'invalid type: string "5", expected i32 at line 1 column 17'],
  ['{"session_id":5.5}', 'invalid type: floating point `5.5`, expected i32 at line 1 column 17'],
  ['{"session_id":null}', 'invalid type: null, expected i32 at line 1 column 18'],
  [
    '{"session_id":5,"chars":5}',
    'invalid type: integer `5`, expected a string at line 1 column 25',
  ],
  ['{"session_id":5,"chars":null}', 'invalid type: null, expected a string at line 1 column 28'],
  [
    '{"session_id":99999999999}',
    'invalid value: integer `99999999999`, expected i32 at line 1 column 25',
  ],
  [
    '{"session_id":5,"yield_time_ms":"a"}',
    'invalid type: string "a", expected u64 at line 1 column 35',
  ],
  ['{"chars":"x"}', 'missing field `session_id` at line 1 column 13'],
  [
    '{"session_id":2147483648}',
    'invalid value: integer `2147483648`, expected i32 at line 1 column 24',
  ],
  ['{"session_id":1e1}', 'invalid type: floating point `10.0`, expected i32 at line 1 column 17'],
  [
    '{"session_id":5,"yield_time_ms":-1}',
    'invalid value: integer `-1`, expected u64 at line 1 column 34',
  ],
  [
    '{"session_id":5,"max_output_tokens":-1}',
    'invalid value: integer `-1`, expected usize at line 1 column 38',
  ],
  ['{"session_id":5,"session_id":6}', 'duplicate field `session_id` at line 1 column 28'],
  ['', 'EOF while parsing a value at line 1 column 0'],
  ['{"session_id":5,"yield_time_ms":null}', 'invalid type: null, expected u64 at line 1 column 36'],
  [
    '{"session_id":5,"max_output_tokens":1.5}',
    'invalid type: floating point `1.5`, expected usize at line 1 column 39',
  ],
  [
    '{"session_id":5,"chars":"\t"}',
    'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 26',
  ],
  ['{"session_id":"x","chars":', 'invalid type: string "x", expected i32 at line 1 column 17'],
  ['null', 'invalid type: null, expected struct WriteStdinArgs at line 1 column 4'],
  ['"a"', 'invalid type: string "a", expected struct WriteStdinArgs at line 1 column 3'],
  ['true', 'invalid type: boolean `true`, expected struct WriteStdinArgs at line 1 column 4'],
  ['{"session_id":5', 'EOF while parsing an object at line 1 column 15'],
  ['{"session_id":5,"chars":"a\\x"}', 'invalid escape at line 1 column 28'],
  [
    '{"session_id":5,"chars":"\\ud800\\u0041"}',
    'lone leading surrogate in hex escape at line 1 column 37',
  ],
  [
    '{"session_id":5,"chars":"\\udc00"}',
    'lone leading surrogate in hex escape at line 1 column 31',
  ],
  ['{"session_id":5,"chars":"abc', 'EOF while parsing a string at line 1 column 28'],
  ['{"session_id":5,"chars":"a\\', 'EOF while parsing a string at line 1 column 27'],
  ['{"session_id":5,"chars":"\\u00', 'EOF while parsing a string at line 1 column 29'],
  ['{"session_id":-', 'EOF while parsing a value at line 1 column 15'],
  ['{"session_id":-}', 'invalid number at line 1 column 16'],
  ['{"session_id":01}', 'invalid number at line 1 column 16'],
  ['{"session_id":1.}', 'invalid number at line 1 column 17'],
  ['{"session_id":1.e}', 'invalid number at line 1 column 17'],
  ['{"session_id":1e}', 'invalid number at line 1 column 17'],
  ['{"session_id":1e+}', 'invalid number at line 1 column 18'],
  ['{"session_id":1e999}', 'number out of range at line 1 column 19'],
  ['{"session_id":-0}', 'invalid type: floating point `-0.0`, expected i32 at line 1 column 16'],
  ['{"session_id":-0.0}', 'invalid type: floating point `-0.0`, expected i32 at line 1 column 18'],
  [
    '{"session_id":0.00001}',
    'invalid type: floating point `0.00001`, expected i32 at line 1 column 21',
  ],
  [
    '{"session_id":0.0000012}',
    'invalid type: floating point `1.2e-6`, expected i32 at line 1 column 23',
  ],
  [
    '{"session_id":1e15}',
    'invalid type: floating point `1000000000000000.0`, expected i32 at line 1 column 18',
  ],
  ['{"session_id":1e16}', 'invalid type: floating point `1e+16`, expected i32 at line 1 column 18'],
  [
    '{"session_id":123456789012345680.5}',
    'invalid type: floating point `1.2345678901234568e+17`, expected i32 at line 1 column 34',
  ],
  [
    '{"session_id":1.5e300}',
    'invalid type: floating point `1.5e+300`, expected i32 at line 1 column 21',
  ],
  [
    '{"session_id":-9999999999999999999}',
    'invalid type: floating point `-1e+19`, expected i32 at line 1 column 34',
  ],
  [
    '{"session_id":99999999999999999999}',
    'invalid type: floating point `1e+20`, expected i32 at line 1 column 34',
  ],
  [
    '{"session_id":9223372036854775808}',
    'invalid value: integer `9223372036854775808`, expected i32 at line 1 column 33',
  ],
  ['{"session_id":tr', 'EOF while parsing a value at line 1 column 16'],
  ['{"session_id":n', 'EOF while parsing a value at line 1 column 15'],
  ['{"session_id":xyz}', 'expected value at line 1 column 15'],
  ['{"session_id":}', 'expected value at line 1 column 15'],
  ['{"session_id":,}', 'expected value at line 1 column 15'],
  ['{"session_id"', 'EOF while parsing an object at line 1 column 13'],
  ['{"session_id" 5}', 'expected `:` at line 1 column 15'],
  ['{"session_id":5 5}', 'expected `,` or `}` at line 1 column 17'],
  ['{"session_id":5,}', 'trailing comma at line 1 column 17'],
  ['{"session_id":5,', 'EOF while parsing a value at line 1 column 16'],
  ['{"session_id":5]', 'expected `,` or `}` at line 1 column 16'],
  ['{"session_id":{"a":[1,{"b":"c"}]}}', 'invalid type: map, expected i32 at line 1 column 14'],
  ['{"session_id":5,"z":[1,]}', 'expected value at line 1 column 24'],
  ['{"session_id":5,"z":[1 2]}', 'expected `,` or `]` at line 1 column 24'],
  ['{"session_id":5,"z":{"a":1,}}', 'key must be a string at line 1 column 28'],
  ['{"session_id":5,"z":{"a" 1}}', 'expected `:` at line 1 column 26'],
  ['{"session_id":5,"z":[', 'EOF while parsing a list at line 1 column 21'],
  ['{"session_id":5,"z":{', 'EOF while parsing an object at line 1 column 21'],
  ['{"session_id":5,"z":[1', 'EOF while parsing a list at line 1 column 22'],
  ['{"session_id":5,"z":{"a"', 'EOF while parsing an object at line 1 column 24'],
  ['{"session_id":5,"z":{"a":1', 'EOF while parsing an object at line 1 column 26'],
  ['{"session_id":5,"z":1.}', 'invalid number at line 1 column 23'],
  ['{"session_id":5,"z":"\\q"}', 'invalid escape at line 1 column 23'],
  ['{"session_id":5,"z":}', 'expected value at line 1 column 21'],
  ['{"session_id":5,"z":]}', 'expected value at line 1 column 21'],
  ['{"session_id":5,"z":tru}', 'expected ident at line 1 column 24'],
  ['{"session_id":5,"z":{1:2}}', 'key must be a string at line 1 column 22'],
  ['{"session_id":5}}', 'trailing characters at line 1 column 17'],
  ['{"session_id":5} ,', 'trailing characters at line 1 column 18'],
  [
    '{"session_id":"a\\nb\\"c"}',
    'invalid type: string "a\\nb\\"c", expected i32 at line 1 column 23',
  ],
  ['{"session_id":"é"}', 'invalid type: string "é", expected i32 at line 1 column 18'],
  ['{"é":1,"session_id":"x"}', 'invalid type: string "x", expected i32 at line 1 column 24'],
  ['{"session_\\u0069d":"x"}', 'invalid type: string "x", expected i32 at line 1 column 22'],
  ['{"a":1,"a":2,"session_id":"x"}', 'invalid type: string "x", expected i32 at line 1 column 29'],
  ['{"\\x":1}', 'invalid escape at line 1 column 4'],
  [
    '{"a\tb":1}',
    'control character (\\u0000-\\u001F) found while parsing a string at line 1 column 4',
  ],
  ['{"session_id":1,"chars":"x","chars":"y"}', 'duplicate field `chars` at line 1 column 35'],
  ['\ufeff{}', 'expected value at line 1 column 1'],
  ['\u00a0{}', 'expected value at line 1 column 1'],
  ['\u000b{}', 'expected value at line 1 column 1'],
  [
    '{"session_id":"a\\u0001\\u200b"}',
    'invalid type: string "a\\u{1}\\u{200b}", expected i32 at line 1 column 29',
  ],
  ["{'session_id':1}", 'key must be a string at line 1 column 2'],
  ['{"session_id":5,"z":[[[[1]]],"\\u12G4"]}', 'invalid escape at line 1 column 36'],
  [
    '{"session_id":4294967296}',
    'invalid value: integer `4294967296`, expected i32 at line 1 column 24',
  ],
  [
    '{"session_id":-2147483649}',
    'invalid value: integer `-2147483649`, expected i32 at line 1 column 25',
  ],
  [
    '{"session_id":5,"max_output_tokens":null,"chars":1}',
    'invalid type: integer `1`, expected a string at line 1 column 50',
  ],
  ['{"session_id":5,"z":-}', 'invalid number at line 1 column 22'],
  ['{"session_id":5,"z":1e}', 'invalid number at line 1 column 23'],
  ['{"session_id":5,"z":-a}', 'invalid number at line 1 column 22'],
  ['{"session_id":5,"z":00}', 'invalid number at line 1 column 22'],
  ['{"session_id":5,"z":1', 'EOF while parsing an object at line 1 column 21'],
  ['{"session_id":5,"z":-', 'invalid number at line 1 column 21'],
  ['{"session_id":5,"z":tru', 'EOF while parsing a value at line 1 column 23'],
  ['{"session_id":5,"z":"a', 'EOF while parsing a string at line 1 column 22'],
  ['{"session_id":5,"z":"a\\', 'EOF while parsing a string at line 1 column 23'],
  ['{"session_id":5,"z":"a\\u1', 'EOF while parsing a string at line 1 column 25'],
]

function failureOf(parse: (text: string) => unknown, text: string): string | undefined {
  try {
    parse(text)
    return undefined
  } catch (error) {
    assert.ok(error instanceof ArgumentsError, String(error))
    return error.message.replace('failed to parse function arguments: ', '')
  }
}

describe('arguments of exec_command', () => {
  it('fail with the text, line and column of Codex', () => {
    for (const [text, failure] of EXEC_COMMAND_FAILURES) {
      assert.equal(failureOf(parseExecCommandArguments, text), failure, text)
    }
  })

  it('are only the command, the rest has defaults', () => {
    assert.deepEqual(parseExecCommandArguments('{"cmd":"ls"}'), {
      cmd: 'ls',
      isLogin: true,
      isTty: false,
      sandboxPermissions: 'use_default',
    })
  })

  it('are all read, unknown ones ignored', () => {
    const text = JSON.stringify({
      cmd: 'ls',
      workdir: '/tmp',
      shell: 'sh',
      login: false,
      tty: true,
      yield_time_ms: 5,
      max_output_tokens: 6,
      sandbox_permissions: 'require_escalated',
      justification: 'why',
      prefix_rule: ['git', 'pull'],
      other: [{ a: [] }, {}, 'x', 1e3, null],
    })
    assert.deepEqual(parseExecCommandArguments(text), {
      cmd: 'ls',
      workdir: '/tmp',
      shell: 'sh',
      isLogin: false,
      isTty: true,
      yieldMs: 5,
      maxOutputTokens: 6,
      sandboxPermissions: 'require_escalated',
      justification: 'why',
      prefixRule: ['git', 'pull'],
    })
  })

  it('may be null where Codex takes that for absent; an empty workdir is none', () => {
    const names = ['login', 'workdir', 'shell', 'max_output_tokens', 'justification', 'prefix_rule']
    for (const name of names) {
      assert.deepEqual(
        parseExecCommandArguments(`{"cmd":"","${name}":null}`),
        parseExecCommandArguments('{"cmd":"","workdir":""}'),
      )
    }
  })

  it('are never read otherwise than by JSON.parse', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (cmd, other) => {
        const space = ' \n\t'
        const text = JSON.stringify({ other, cmd }, null, space)
        assert.equal(parseExecCommandArguments(text).cmd, JSON.parse(text).cmd)
      }),
    )
  })

  it('fail with an ArgumentsError wherever the text is cut', () => {
    const text = JSON.stringify({ a: [1.5e-7, { b: '\u00e9"\\' }, [], {}], cmd: 'x', login: true })
    for (let length = 0; length < text.length; length += 1) {
      assert.match(failureOf(parseExecCommandArguments, text.slice(0, length)) ?? '', / at line 1 /)
    }
  })
})

describe('arguments of write_stdin', () => {
  it('fail with the text, line and column of Codex', () => {
    for (const [text, failure] of WRITE_STDIN_FAILURES) {
      assert.equal(failureOf(parseWriteStdinArguments, text), failure, text)
    }
  })

  it('are read', () => {
    assert.deepEqual(parseWriteStdinArguments('{"session_id":-5}'), { sessionId: -5, chars: '' })
    const text = '{"session_id":5,"chars":"\\ud83d\\ude00","yield_time_ms":18446744073709551615}'
    assert.deepEqual(parseWriteStdinArguments(text), {
      sessionId: 5,
      chars: '😀',
      yieldMs: 2 ** 64,
    })
  })

  it('may hold any depth of what is unknown', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const text = `{"z":"\\ud800","y":${deep},"session_id":1}`
    assert.equal(parseWriteStdinArguments(text).sessionId, 1)
  })
})
