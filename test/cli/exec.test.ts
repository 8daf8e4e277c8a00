import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assistantMessage, customToolCall, functionCall } from '../../src/core/index.ts'
import { jsonLines, Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'

const say = (text: string) => ({ items: [assistantMessage(text)] })
const call = (cmd: string) => ({ items: [functionCall('exec_command', { cmd }, 'call_1')] })

describe('bobbin exec', () => {
  it('prints only the answer to standard output, and the run to standard error', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([call('cat a.txt'), say('It has two.')])
    await place.useModel(model.baseUrl)
    const outcome = await place.exec(['how many lines?'])
    assert.equal(outcome.stdout, 'It has two.\n')
    assert.match(outcome.stderr, /\$ cat a\.txt\n {2}one\n {2}two\n/)
    assert.equal(outcome.exitCode, 0)
  })

  it('reads the prompt from standard input, and adds what is piped to a given one', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([say('a'), say('b')])
    await place.useModel(model.baseUrl)
    await place.run(['exec', '--skip-git-repo-check', '-'], { input: 'from stdin' })
    await place.run(['exec', '--skip-git-repo-check', 'explain'], { input: 'piped' })
    const prompts = model.modelRequests.map(({ body }) => JSON.stringify(body.input).slice(-80))
    assert.match(prompts[0] ?? '', /"from stdin"/)
    assert.match(prompts[1] ?? '', /explain\\n\\n<stdin>\\npiped\\n<\/stdin>/)
  })

  it('resumes by id, by a unique beginning of it, and the last of the folder', async () => {
    await using place = await Workplace.create()
    const script = ['one', 'two', 'three', 'four'].map(say)
    await using model = await ScriptedResponsesServer.start(script)
    await place.useModel(model.baseUrl)
    const first = await place.exec(['--json', 'first'])
    const id = String(jsonLines(first.stdout)[0]?.thread_id)
    for (const words of [[id], [id.slice(0, 23)], ['--last']]) {
      const next = await place.exec(['--json', 'resume', ...words, 'more'])
      assert.equal(jsonLines(next.stdout)[0]?.thread_id, id)
    }
    const inputs = model.modelRequests.map(({ body }) => (body.input as unknown[]).length)
    assert.deepEqual(inputs, [3, 5, 7, 9])
  })

  it('leaves no byte of an ephemeral thread', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([call('echo hi'), say('done')])
    await place.useModel(model.baseUrl)
    const outcome = await place.exec(['--ephemeral', 'hello'])
    assert.equal(outcome.exitCode, 0)
    assert.deepEqual(await place.homeFiles(), ['config.toml'])
  })

  it('creates files that only their owner can read', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([say('done')])
    await place.useModel(model.baseUrl)
    await place.exec(['hello'])
    await place.run(['threads', 'list'])
    for (const name of await place.homeFiles()) {
      if (name === 'config.toml') continue
      const { mode } = await stat(join(place.home, name))
      assert.equal(mode & 0o777, 0o600, name)
    }
    assert.equal((await stat(join(place.home, 'sessions'))).mode & 0o777, 0o700)
  })

  it('refuses in words what the sandbox mode does not allow', async () => {
    await using place = await Workplace.create()
    const patch = '*** Begin Patch\n*** Add File: new.txt\n+x\n*** End Patch'
    const items = [
      functionCall('exec_command', { cmd: 'touch b.txt' }, 'call_touch'),
      functionCall('exec_command', { cmd: 'cat a.txt' }, 'call_cat'),
      customToolCall('apply_patch', patch, 'call_patch'),
    ]
    await using model = await ScriptedResponsesServer.start([{ items }, say('done')])
    await place.useModel(model.baseUrl)
    const PATH = '/nowhere'
    const args = ['exec', '--skip-git-repo-check', '--json', 'hello']
    const outcome = await place.run(args, { environment: { PATH } })
    const input = model.modelRequests[1]?.body.input ?? []
    const outputs = (input as { call_id?: string; output?: string }[])
      .filter((item) => item.output !== undefined)
      .map((item) => [item.call_id, item.output?.split('\n').at(-1)])
    const noSandbox = /sandbox mode `read-only` cannot confine .* --sandbox danger-full-access/
    assert.match(String(outputs[0]?.[1]), noSandbox)
    assert.match(String(outputs[2]?.[1]), /patch rejected: writing is blocked by read-only sandbox/)
    const statuses = jsonLines(outcome.stdout)
      .filter((event) => event.type === 'item.completed')
      .map((event) => (event.item as { status?: string }).status)
    assert.deepEqual(statuses.slice(0, 2).sort(), ['completed', 'declined'])
    await assert.rejects(stat(join(place.project, 'b.txt')))
    await assert.rejects(stat(join(place.project, 'new.txt')))
  })

  it('writes the last message to a file, and passes an output schema on', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([say('{"n":1}')])
    await place.useModel(model.baseUrl)
    const schema = { type: 'object', properties: { n: { type: 'number' } } }
    await writeFile(join(place.project, 'schema.json'), JSON.stringify(schema))
    await place.exec(['--output-schema', 'schema.json', '-o', 'last.txt', 'hello'])
    assert.equal(await readFile(join(place.project, 'last.txt'), 'utf8'), '{"n":1}')
    const format = { type: 'json_schema', strict: true, schema, name: 'codex_output_schema' }
    assert.deepEqual(model.modelRequests[0]?.body.text, { verbosity: 'low', format })
  })

  it('fails with exit code 1, and the thread reads back as failed', async () => {
    await using place = await Workplace.create()
    const fault = { kind: 'status', status: 400, body: '{"error":{"message":"no"}}' } as const
    await using model = await ScriptedResponsesServer.start([{ items: [], fault }])
    await place.useModel(model.baseUrl)
    const outcome = await place.exec(['hello'])
    assert.equal(outcome.exitCode, 1)
    const shown = await place.run(['threads', 'show', '--last', '--json'])
    const { turns } = JSON.parse(shown.stdout)
    assert.equal(turns[0].status, 'failed')
    assert.equal(turns[0].error.message, '{"error":{"message":"no"}}')
  })

  it('tells why a provider cannot be reached, on standard error', async () => {
    await using place = await Workplace.create()
    const gone = await ScriptedResponsesServer.start([])
    const { baseUrl } = gone
    await gone[Symbol.asyncDispose]()
    await place.useModel(baseUrl, 'request_max_retries = 0\nstream_max_retries = 1\n')
    const { origin, host } = new URL(baseUrl)
    const cause = `connect ECONNREFUSED ${host} (${origin})`
    const plain = await place.exec(['hello'])
    assert.deepEqual([plain.exitCode, plain.stdout], [1, ''])
    assert.equal(plain.stderr.split(`\n  cause: ${cause}\n`).length, 3, plain.stderr)
    const { stdout, stderr } = await place.exec(['--json', 'hello'])
    assert.ok(!stdout.includes('ECONNREFUSED'))
    const { message, reason } = JSON.parse(stderr).error
    assert.match(message, /^stream disconnected before completion: error sending request for url/)
    assert.equal(reason, cause)
  })

  it('tells a script of a failed turn on standard error, too, as one JSON object', async () => {
    await using place = await Workplace.create()
    const fault = { kind: 'status', status: 400, body: '{"error":{"message":"no"}}' } as const
    await using model = await ScriptedResponsesServer.start([{ items: [], fault }])
    await place.useModel(model.baseUrl)
    const outcome = await place.exec(['--json', 'hello'])
    assert.equal(outcome.exitCode, 1)
    const message = '{"error":{"message":"no"}}'
    assert.equal(jsonLines(outcome.stdout).at(-1)?.type, 'turn.failed')
    const { error } = JSON.parse(outcome.stderr)
    assert.deepEqual([error.code, error.exitCode, error.message], ['failed', 1, message])
  })

  it('obeys Ctrl-C: the command ends, the history is whole and marked', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([call('sleep 60'), say('next')])
    await place.useModel(model.baseUrl)
    const args = ['exec', '--json', '--dangerously-bypass-approvals-and-sandbox', 'hello']
    const child = place.start(args)
    child.stdin?.end()
    let printed = ''
    for await (const chunk of child.stdout ?? []) {
      printed += String(chunk)
      if (printed.includes('command_execution') && !child.killed) child.kill('SIGINT')
    }
    const [exitCode] = child.exitCode === null ? await once(child, 'close') : [child.exitCode]
    assert.equal(exitCode, 130)
    const lines = await place.rolloutLines()
    const kinds = lines.map(({ type, payload }) => payload.type ?? type)
    const end = ['function_call_output', 'token_count', 'message', 'turn_aborted']
    assert.deepEqual(kinds.slice(-4), end)
    const ended = lines.find(({ payload }) => payload.type === 'exec_command_end')?.payload
    assert.deepEqual([ended?.call_id, ended?.status, ended?.exit_code], ['call_1', 'failed', -1])
    assert.match(String(lines.at(-4)?.payload.output), /^aborted by user after \d+\.\ds$/)
    const next = await place.exec(['resume', '--last', 'go on'])
    assert.equal(next.stdout, 'next\n')
  })

  it('asks with the key and headers of the provider, and tells nobody the key', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([say('done')])
    const extra = 'env_key = "MOCK_KEY"\nhttp_headers = { "x-team" = "blue" }\n'
    await place.useModel(model.baseUrl, extra)
    const outcome = await place.exec(['hello'], { MOCK_KEY: 'secret-key' })
    const headers = model.modelRequests[0]?.headers
    assert.equal(headers?.authorization, 'Bearer secret-key')
    assert.equal(headers?.['x-team'], 'blue')
    const files = await place.homeFiles()
    const texts = await Promise.all(files.map((name) => readFile(join(place.home, name), 'utf8')))
    assert.ok(![outcome.stdout, outcome.stderr, ...texts].join('').includes('secret-key'))
  })
})
