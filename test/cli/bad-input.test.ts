/** Bad input: one clear line that names the thing and the remedy, its own exit code, no trace. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { JsonObject } from '../../src/base/index.ts'
import { Workplace } from '../support/bobbin.ts'

interface Case {
  readonly what: string
  readonly args: readonly string[]
  readonly config?: string
  readonly exitCode: number
  /** Parts of the one line. */
  readonly says: readonly string[]
}

const EXEC = ['exec', '--skip-git-repo-check']
const UNKNOWN_ID = '01a1fde1-b66d-792f-a65a-000000000000'
const MOCK = 'model_provider = "mock"\n[model_providers.mock]\nbase_url = "http://127.0.0.1:9/v1"\n'

const CASES: readonly Case[] = [
  {
    what: 'an unknown model provider',
    args: [...EXEC, 'hi'],
    config: 'model_provider = "nope"',
    exitCode: 11,
    says: ['unknown model provider `nope`', '[model_providers.nope]', 'openai'],
  },
  {
    what: 'a missing key of the default provider',
    args: [...EXEC, 'hi'],
    exitCode: 9,
    says: ['OPENAI_API_KEY is not set', 'export OPENAI_API_KEY'],
  },
  {
    what: 'a missing key of a configured provider',
    args: [...EXEC, 'hi'],
    config: `${MOCK}env_key = "MOCK_KEY"\n`,
    exitCode: 9,
    says: ['`mock`', 'MOCK_KEY is not set'],
  },
  {
    what: 'bad TOML',
    args: [...EXEC, 'hi'],
    config: 'model = "a"\nmodel = = 2\n',
    exitCode: 8,
    says: ['config.toml:2:', 'not valid TOML', 'correct that line'],
  },
  {
    what: 'a value of the wrong type',
    args: [...EXEC, 'hi'],
    config: 'model = 3\n',
    exitCode: 8,
    says: ['config.toml', 'model must be a text, but is 3'],
  },
  {
    what: 'a wire protocol that is not spoken',
    args: [...EXEC, 'hi'],
    config: `${MOCK}wire_api = "chat"\n`,
    exitCode: 8,
    says: ['model_providers.mock.wire_api is "chat"'],
  },
  {
    what: 'a profile that is not there',
    args: [...EXEC, '-p', 'work', 'hi'],
    exitCode: 8,
    says: ['no profile `work`'],
  },
  {
    what: 'an override without a value',
    args: [...EXEC, '-c', 'model', 'hi'],
    exitCode: 8,
    says: ['-c model', 'key=value'],
  },
  {
    what: 'a bad flag',
    args: [...EXEC, '--bogus', 'hi'],
    exitCode: 2,
    says: ["'--bogus'", '--help'],
  },
  { what: 'an unknown command', args: ['exce'], exitCode: 2, says: ["'exce'", 'exec'] },
  { what: 'two prompts', args: [...EXEC, 'a', 'b'], exitCode: 2, says: ['`b`', 'quote'] },
  { what: 'no prompt', args: EXEC, config: MOCK, exitCode: 2, says: ['No prompt provided'] },
  {
    what: 'a sandbox mode that is none',
    args: [...EXEC, '-s', 'open', 'hi'],
    exitCode: 2,
    says: ['`open`', 'read-only'],
  },
  {
    what: 'a folder that is not there',
    args: [...EXEC, '--cd', 'nowhere', 'hi'],
    exitCode: 2,
    says: ['nowhere', '--cd'],
  },
  {
    what: 'a project that is not trusted',
    args: ['exec', 'hi'],
    exitCode: 2,
    says: ['--skip-git-repo-check'],
  },
  {
    what: 'an output schema that is no JSON',
    args: [...EXEC, '--output-schema', 'a.txt', 'hi'],
    exitCode: 2,
    says: ['a.txt', 'not valid JSON'],
  },
  {
    what: 'a thread id that nobody has, to resume',
    args: [...EXEC, 'resume', UNKNOWN_ID, 'hi'],
    config: MOCK,
    exitCode: 3,
    says: [UNKNOWN_ID, 'threads list'],
  },
  {
    what: 'a stored thread that is to leave no trace',
    args: [...EXEC, '--ephemeral', 'resume', UNKNOWN_ID, 'hi'],
    config: MOCK,
    exitCode: 2,
    says: ['--ephemeral', 'resume'],
  },
  {
    what: 'a thread id that nobody has, to show',
    args: ['threads', 'show', UNKNOWN_ID],
    exitCode: 3,
    says: [UNKNOWN_ID],
  },
  {
    what: 'a thread name that nobody has',
    args: [...EXEC, 'resume', 'my thread', 'hi'],
    config: MOCK,
    exitCode: 3,
    says: ['`my thread`'],
  },
  {
    what: 'no thread of this folder',
    args: [...EXEC, 'resume', '--last', 'hi'],
    config: MOCK,
    exitCode: 3,
    says: ['no thread was started in'],
  },
  {
    what: 'a beginning of an id that is too short',
    args: ['threads', 'show', '01'],
    exitCode: 3,
    says: ['`01`', 'four characters'],
  },
  {
    what: 'a thread by two ways',
    args: ['threads', 'show', UNKNOWN_ID, '--last'],
    exitCode: 2,
    says: [UNKNOWN_ID, '--last'],
  },
  {
    what: 'a file name that tells no format',
    args: ['threads', 'export', '--last', '-o', 'x.pdf'],
    exitCode: 2,
    says: ['x.pdf', '.md, .html or .jsonl'],
  },
  {
    what: 'a flag that a command does not have',
    args: ['threads', 'list', '--nosuch'],
    exitCode: 2,
    says: ['--nosuch', '(see bobbin threads list --help)'],
  },
  { what: 'a bad limit', args: ['threads', 'list', '-n', '0'], exitCode: 2, says: ['--limit 0'] },
  {
    what: 'a time that is none',
    args: ['threads', 'list', '--since', 'soon'],
    exitCode: 2,
    says: ['--since soon', '7d'],
  },
  {
    what: 'a cursor that no list gave out',
    args: ['threads', 'list', '--cursor', 'x'],
    exitCode: 2,
    says: ['cursor'],
  },
]

/** The one line on standard error, notices about standard input aside. */
function oneLine(stderr: string): string {
  const lines = stderr.trimEnd().split('\n')
  const told = lines.filter((line) => !line.startsWith('Reading '))
  assert.equal(told.length, 1, stderr)
  assert.match(told[0] ?? '', /^bobbin: /)
  return told[0] ?? ''
}

/** What `--json` makes of it: one object, and nothing else on standard error. */
function oneObject(stderr: string): JsonObject {
  assert.match(stderr, /^[^\n]+\n$/)
  const { schemaVersion, error } = JSON.parse(stderr)
  assert.equal(schemaVersion, 1)
  const members = ['code', 'details', 'exitCode', 'message', 'reason', 'remedy']
  assert.deepEqual(Object.keys(error).sort(), members)
  return error
}

const CODES: { readonly [exitCode: number]: string } = {
  2: 'usage',
  3: 'thread_not_found',
  8: 'invalid_config',
  9: 'missing_key',
  11: 'unknown_provider',
}

describe('bad input gets one clear line, its own exit code, and changes nothing', () => {
  for (const { what, args, config, exitCode, says } of CASES) {
    it(what, async () => {
      await using place = await Workplace.create()
      if (config !== undefined) await place.writeConfig(config)
      const outcome = await place.run(args)
      const line = oneLine(outcome.stderr)
      for (const part of says) assert.ok(line.includes(part), `${part} is not in: ${line}`)
      assert.equal(outcome.exitCode, exitCode)
      assert.equal(outcome.stdout, '')
      const written = (await place.homeFiles()).filter((name) => !name.startsWith('bobbin_1.'))
      assert.deepEqual(written, config === undefined ? [] : ['config.toml'])
    })
  }

  for (const { what, args, config, exitCode, says } of CASES) {
    it(`${what}, as one JSON object where that is asked for`, async () => {
      await using place = await Workplace.create()
      if (config !== undefined) await place.writeConfig(config)
      const outcome = await place.run([...args, '--json'])
      const error = oneObject(outcome.stderr)
      const line = `${error.message} (${error.remedy})`
      for (const part of says) assert.ok(line.includes(part), `${part} is not in: ${line}`)
      assert.deepEqual([error.code, error.exitCode], [CODES[exitCode], exitCode])
      assert.deepEqual([outcome.exitCode, outcome.stdout], [exitCode, ''])
    })
  }

  it('words behind `--` are no flags', async () => {
    await using place = await Workplace.create()
    const outcome = await place.run(['threads', 'show', '--', '--json'])
    assert.match(oneLine(outcome.stderr), /`--json`/)
  })

  it('a deletion that nobody confirmed', async () => {
    await using place = await Workplace.create()
    const path = join(place.home, 'sessions', '2026', '11', '21')
    await mkdir(path, { recursive: true })
    const meta = { id: UNKNOWN_ID, timestamp: '2026-11-21T10:00:00Z', cwd: '/', source: 'exec' }
    const payload = { ...meta, originator: 'test', cli_version: '0' }
    const line = JSON.stringify({ timestamp: meta.timestamp, type: 'session_meta', payload })
    await writeFile(join(path, `rollout-2026-11-21T10-00-00-${UNKNOWN_ID}.jsonl`), `${line}\n`)
    const outcome = await place.run(['threads', 'delete', UNKNOWN_ID, '--json'])
    const error = oneObject(outcome.stderr)
    assert.deepEqual([error.code, error.remedy], ['unconfirmed', 'nothing was deleted; add --yes'])
    assert.equal(outcome.exitCode, 5)
  })

  it('a home that is a file', async () => {
    await using place = await Workplace.create()
    await writeFile(place.home, 'not a folder')
    for (const args of [
      [...EXEC, 'hi'],
      ['threads', 'list'],
      ['threads', 'show', UNKNOWN_ID],
    ]) {
      const outcome = await place.run(args)
      assert.match(oneLine(outcome.stderr), /cannot use the home .*home: it is not a folder/)
      assert.equal(outcome.exitCode, 10)
    }
  })

  it('a rollout without a readable header', async () => {
    await using place = await Workplace.create()
    await place.writeConfig(MOCK)
    const folder = join(place.home, 'sessions', '2026', '11', '21')
    await mkdir(folder, { recursive: true })
    const path = join(folder, `rollout-2026-11-21T10-00-00-${UNKNOWN_ID}.jsonl`)
    await writeFile(path, 'not json\n')
    for (const args of [
      ['threads', 'show', UNKNOWN_ID],
      [...EXEC, 'resume', UNKNOWN_ID, 'hi'],
    ]) {
      const outcome = await place.run(args)
      const line = oneLine(outcome.stderr)
      assert.ok(line.includes(path) && line.includes('session_meta'), line)
      assert.equal(outcome.exitCode, 6)
    }
    const list = await place.run(['threads', 'list', '--json'])
    assert.equal(list.exitCode, 0)
    const { threads, unreadable } = JSON.parse(list.stdout)
    assert.deepEqual(threads, [])
    assert.deepEqual(unreadable, [{ path, reason: 'no readable session_meta line' }])
  })
})
