import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { ModelRequest, SessionSettings } from '../../src/core/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { type KitOptions, runTurn, SessionKit } from '../support/session-kit.ts'

const says = { items: [assistantMessage('ok')] }

/** The input as `role: first words`, one a part. */
function inputOf(request: ModelRequest | undefined): string[] {
  return (request?.input ?? []).flatMap((item) => {
    if (item.type !== 'message') return [item.type]
    return item.content.map((part) => {
      const text = 'text' in part ? part.text : part.type
      return `${item.role}: ${text.split('\n')[0]}`
    })
  })
}

const TWO_TURNS = ['user: one', 'assistant: ok']

/** What the second of two turns adds to the input, before its message. */
async function added(
  change: Partial<SessionSettings>,
  options: KitOptions & { readonly override?: Partial<SessionSettings> } = {},
): Promise<string[]> {
  await using kit = await SessionKit.open([says, says], options)
  const handle = await kit.start()
  await runTurn(handle, 'one')
  await kit.restart()
  const { override = {} } = options
  const again = await kit.resume(handle.threadId, change, override)
  await runTurn(again, 'two')
  const input = inputOf(kit.model.requests[1])
  assert.equal(input.at(-1), 'user: two')
  const [first = []] = kit.model.requests.map(inputOf)
  assert.deepEqual(input.slice(0, first.length + 1), [...first, 'assistant: ok'])
  assert.equal(kit.payloads('turn_context').length, 2)
  return input.slice(first.length + 1, -1)
}

describe('what the model is told of its surroundings [C4]', () => {
  it('is all of it before the first message', async () => {
    await using kit = await SessionKit.open([says], {
      settings: { developerInstructions: 'Use tabs.' },
    })
    await writeFile(kit.at('home', 'AGENTS.md'), 'home doc')
    await runTurn(await kit.start(), 'one')
    assert.deepEqual(inputOf(kit.model.requests[0]), [
      'developer: <permissions instructions>',
      'developer: Use tabs.',
      `user: # AGENTS.md instructions for ${kit.project}`,
      'user: <environment_context>',
      'user: one',
    ])
  })

  it('is nothing more when nothing changed, live and resumed', async () => {
    await using kit = await SessionKit.open([says, says, says])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    await runTurn(handle, 'two')
    await kit.restart()
    await runTurn(await kit.resume(handle.threadId), 'three')
    const start = ['developer: <permissions instructions>', 'user: <environment_context>']
    assert.deepEqual(inputOf(kit.model.requests[2]), [
      ...start,
      ...TWO_TURNS,
      'user: two',
      'assistant: ok',
      'user: three',
    ])
  })

  it('is the new date on a new day', async () => {
    await using kit = await SessionKit.open([says, says])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    kit.clock.now += 24 * 3600 * 1000
    await runTurn(handle, 'two')
    const last = kit.model.requests[1]?.input.at(-2)
    assert.ok(last?.type === 'message' && last.content[0] && 'text' in last.content[0])
    assert.match(last.content[0].text, /<current_date>2026-11-21<\/current_date>/)
    assert.deepEqual(inputOf(kit.model.requests[1]).slice(2), [
      ...TWO_TURNS,
      'user: <environment_context>',
      'user: two',
    ])
  })

  it('is the new folder after resuming in another', async () => {
    assert.deepEqual(await added({ cwd: '/' }), ['user: <environment_context>'])
  })

  it('is the new permissions after resuming with others', async () => {
    const permissions = ['developer: <permissions instructions>']
    assert.deepEqual(await added({ approvalPolicy: 'on-request' }), permissions)
    assert.deepEqual(await added({ sandboxPolicy: { type: 'read-only' } }), permissions)
  })

  it('is the new writable folder too when that is what changed', async () => {
    const sandboxPolicy = {
      type: 'workspace-write',
      network_access: false,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: false,
    } as const
    assert.deepEqual(await added({ cwd: '/', sandboxPolicy }, { settings: { sandboxPolicy } }), [
      'developer: <permissions instructions>',
      'user: <environment_context>',
    ])
  })

  it('does not depend on the order in which a policy was written', async () => {
    const first = {
      type: 'workspace-write',
      writable_roots: ['/srv'],
      network_access: false,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: false,
    } as const
    const { type, ...rest } = { ...first, writable_roots: ['/srv'] }
    const swapped = { ...rest, type }
    const settings = { sandboxPolicy: { ...first, writable_roots: ['/srv'] } }
    assert.deepEqual(await added({ sandboxPolicy: swapped }, { settings }), [])
  })

  it('is the switch to another model', async () => {
    const seen = await added({}, { override: { model: 'gpt-5.5' } })
    assert.deepEqual(seen, ['developer: <model_switch>'])
  })

  it('is the switch and the permissions in one message, the switch first', async () => {
    const seen = await added(
      { sandboxPolicy: { type: 'read-only' }, cwd: '/' },
      { override: { model: 'gpt-5.5' } },
    )
    assert.deepEqual(seen, [
      'developer: <model_switch>',
      'developer: <permissions instructions>',
      'user: <environment_context>',
    ])
  })

  it('is nothing of effort', async () => {
    assert.deepEqual(await added({}, { override: { effort: 'high' } }), [])
  })

  it('is the whole again when the turn that carried it was rolled back', async () => {
    await using kit = await SessionKit.open([says, says])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    await kit.restart()
    const [path = ''] = kit.logs()
    const line = { type: 'event_msg', payload: { type: 'thread_rolled_back', num_turns: 1 } }
    const timestamp = '2026-11-20T12:00:00.000Z'
    await writeFile(path, `${JSON.stringify({ timestamp, ...line })}\n`, { flag: 'a' })
    await runTurn(await kit.resume(handle.threadId), 'two')
    assert.deepEqual(inputOf(kit.model.requests[1]).slice(-3), [
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: two',
    ])
  })

  it('survives a turn context of another program that lacks the policies', async () => {
    await using kit = await SessionKit.open([says, says])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    await kit.restart()
    const [path = ''] = kit.logs()
    const { sandbox_policy: _, ...payload } = kit.payloads('turn_context')[0] ?? {}
    const line = { timestamp: '2026-11-20T12:00:00.000Z', type: 'turn_context', payload }
    await writeFile(path, `${JSON.stringify(line)}\n`, { flag: 'a' })
    const end = await runTurn(await kit.resume(handle.threadId), 'two')
    assert.equal(end.status, 'completed')
  })
})

describe('what a request carries of the settings', () => {
  const request = async (settings: Partial<SessionSettings>, steps = [says]) => {
    await using kit = await SessionKit.open(steps)
    await runTurn(await kit.start(settings), 'one')
    return kit.model.requests[0] ?? assert.fail()
  }

  it('is the effort, the summary and the verbosity, or what the model has of its own', async () => {
    const given = { effort: 'high', reasoningSummary: 'concise', verbosity: 'medium' }
    const own = await request({})
    assert.deepEqual([own.reasoning, own.verbosity], [{ effort: 'medium' }, 'low'])
    const asked = await request(given)
    assert.deepEqual(asked.reasoning, { effort: 'high', summary: 'concise' })
    assert.equal(asked.verbosity, 'medium')
    const none = await request({ reasoningSummary: 'none' })
    assert.deepEqual(none.reasoning, { effort: 'medium' })
    const unknown = await request({ model: 'mock-model' })
    assert.deepEqual([unknown.reasoning, unknown.verbosity], [null, undefined])
  })

  it('is the patch tool for models that know it', async () => {
    const names = async (model: string) => {
      const { tools, parallelToolCalls } = await request({ model })
      return [parallelToolCalls, ...tools.map((tool) => tool.name)]
    }
    const plain = ['exec_command', 'write_stdin', 'update_plan', 'request_user_input']
    assert.deepEqual(await names('gpt-5.4'), [true, ...plain, 'apply_patch', 'view_image'])
    assert.deepEqual(await names('mock-model'), [false, ...plain, 'view_image'])
  })

  it('is the output schema of that turn only', async () => {
    await using kit = await SessionKit.open([says, says])
    const handle = await kit.start()
    const outputSchema = { type: 'object' }
    await runTurn(handle, 'one', { outputSchema })
    await runTurn(handle, 'two')
    const schemas = kit.model.requests.map((each) => each.outputSchema)
    assert.deepEqual(schemas, [outputSchema, undefined])
  })

  it('is the identity of the turn, and the state that the server gave within it', async () => {
    await using kit = await SessionKit.open([
      async function* () {
        yield { type: 'started', rateLimits: {}, turnState: 'sticky' }
        yield { type: 'completed', usage: null, endTurn: false }
      },
      says,
      says,
    ])
    const handle = await kit.start()
    const { turnId } = await runTurn(handle, 'one')
    await runTurn(handle, 'two')
    const { threadId } = handle
    assert.deepEqual(kit.model.requests[1]?.turnMetadata, {
      session_id: threadId,
      thread_id: threadId,
      turn_id: turnId,
      sandbox: 'none',
      turn_started_at_unix_ms: kit.clock.now,
    })
    const states = kit.model.requests.map((each) => each.turnState)
    assert.deepEqual(states, [undefined, 'sticky', undefined])
  })
})

describe('pictures', () => {
  it('are sent as data between their marks, and kept by path', async () => {
    await using kit = await SessionKit.open([says])
    const path = kit.at('project', 'dot.PNG')
    await writeFile(path, Buffer.from('89504e470d0a1a0a', 'hex'))
    const input = [
      { type: 'text', text: 'look' },
      { type: 'localImage', path },
    ] as const
    await runTurn(await kit.start(), input)
    assert.deepEqual(kit.model.requests[0]?.input.at(-1), {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'look' },
        { type: 'input_text', text: '<image name=[Image #1]>' },
        { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'high' },
        { type: 'input_text', text: '</image>' },
      ],
    })
    const { type: _, ...event } = kit.payloads('event_msg user_message')[0] ?? {}
    assert.deepEqual(event, {
      message: 'look',
      images: [],
      local_images: [path],
      text_elements: [],
    })
    assert.deepEqual(kit.turns()[0]?.items[0], {
      type: 'userMessage',
      id: 'item-1',
      content: [
        { type: 'text', text: 'look', text_elements: [] },
        { type: 'localImage', detail: null, path },
      ],
    })
  })

  it('that cannot be read become a text that says so, and the turn goes on', async () => {
    await using kit = await SessionKit.open([says])
    const missing = kit.at('missing.png')
    const folder = kit.at('folder.png')
    await mkdir(folder)
    const notes = kit.at('notes.txt')
    await writeFile(notes, 'x')
    const input = [missing, folder, notes].map((path) => ({ type: 'localImage', path }) as const)
    assert.equal((await runTurn(await kit.start(), input)).status, 'completed')
    const last = kit.model.requests[0]?.input.at(-1)
    const told = (path: string, reason: string, what = 'could not read the local') => ({
      type: 'input_text',
      text: `Codex ${what} image at \`${path}\`: ${reason}`,
    })
    assert.deepEqual(last?.type === 'message' && last.content, [
      told(missing, 'No such file or directory (os error 2)'),
      told(folder, 'Is a directory (os error 21)'),
      told(notes, 'unsupported image `text/plain`.', 'cannot attach'),
    ])
  })
})
