import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { McpKit, stdioConfig } from '../../../test/support/mcp/kit.ts'
import type { ClientRequestKind, Elicitation, ElicitationAnswer } from '../../protocol/index.ts'
import { type Clients, NoAnswer } from '../tools/tool.ts'
import type { McpServerConfig } from './index.ts'
import { mayDoHarm } from './tool-approval.ts'

const output = (text: string) =>
  `Wall time: <t> seconds\nOutput:\n${JSON.stringify([{ type: 'text', text }])}`

const RAN = output('ok write')
const ACCEPT: ElicitationAnswer = { action: 'accept', content: {} }

/** A person who gives these answers in turn, and what they were asked. */
class Person implements Clients {
  readonly asked: Elicitation[] = []
  readonly #answers: (ElicitationAnswer | Error)[]

  constructor(...answers: (ElicitationAnswer | Error)[]) {
    this.#answers = answers
  }

  canAsk(kind: ClientRequestKind): boolean {
    return kind === 'elicitation'
  }

  async ask(_kind: ClientRequestKind, params: unknown): Promise<never> {
    this.asked.push(params as Elicitation)
    const answer = this.#answers.shift() ?? assert.fail('asked too often')
    if (answer instanceof Error) throw answer
    return answer as never
  }

  get messages(): string[] {
    return this.asked.map(({ message }) => message)
  }
}

async function open(person: Clients | undefined, config: Partial<McpServerConfig> = {}) {
  const kit = await McpKit.open([stdioConfig('stdio-server', [], config)])
  if (person) kit.clients = person
  kit.settings = { ...kit.settings, approvalPolicy: 'on-request' }
  return kit
}

describe('a tool may do harm', () => {
  for (const [annotations, harm] of [
    [{}, true],
    [{ readOnlyHint: true }, false],
    [{ readOnlyHint: true, openWorldHint: true }, false],
    [{ readOnlyHint: true, destructiveHint: true }, true],
    [{ destructiveHint: false, openWorldHint: false }, false],
    [{ destructiveHint: false, openWorldHint: true }, true],
    [{ destructiveHint: false }, true],
  ] as const) {
    it(`${JSON.stringify(annotations)}: ${harm}`, () => assert.equal(mayDoHarm(annotations), harm))
  }
})

describe('a tool that may do harm', () => {
  it('is asked for as real Codex does', async () => {
    const person = new Person(ACCEPT)
    await using kit = await open(person)
    assert.equal(await kit.call('write', { b: null, a: [1] }), RAN)
    assert.deepEqual(person.asked, [
      {
        serverName: 'fake',
        message: 'Allow the fake MCP server to run tool "write"?',
        ask: { mode: 'form', requestedSchema: { type: 'object', properties: {} } },
        meta: {
          codex_approval_kind: 'mcp_tool_call',
          persist: ['session', 'always'],
          tool_title: 'Write',
          tool_description: 'Writes.',
          tool_params: { b: null, a: [1] },
          tool_params_display: [
            { name: 'a', value: [1], display_name: 'a' },
            { name: 'b', value: null, display_name: 'b' },
          ],
        },
      },
    ])
  })

  it('runs, or is refused in the words of real Codex', async () => {
    const person = new Person(
      { action: 'decline', content: null },
      { action: 'cancel', content: null },
      new NoAnswer('the client broke'),
    )
    await using kit = await open(person)
    assert.equal(await kit.call('write'), output('user rejected MCP tool call'))
    assert.equal(await kit.call('write'), output('user cancelled MCP tool call'))
    assert.equal(await kit.call('write'), output('user rejected MCP tool call'))
    const errors = kit.told.flatMap((event) =>
      event.type === 'itemCompleted' && event.item.type === 'mcpToolCall' ? [event.item.error] : [],
    )
    assert.deepEqual(
      errors.map((error) => error?.message),
      [
        'user rejected MCP tool call',
        'user cancelled MCP tool call',
        'user rejected MCP tool call',
      ],
    )
  })

  it('is cancelled where nobody can be asked', async () => {
    await using kit = await open(undefined)
    assert.equal(await kit.call('write'), output('user cancelled MCP tool call'))
    kit.settings = {
      ...kit.settings,
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'read-only' },
    }
    assert.equal(await kit.call('write'), output('user cancelled MCP tool call'))
  })

  it('is asked for once in a session when the person says so', async () => {
    const forSession = { ...ACCEPT, meta: { persist: 'session' } }
    const person = new Person(forSession, forSession)
    await using kit = await open(person)
    for (const name of ['write', 'write', 'plain', 'plain']) await kit.call(name)
    assert.deepEqual(person.messages, [
      'Allow the fake MCP server to run tool "write"?',
      'Allow the fake MCP server to run tool "plain"?',
    ])
  })

  it('runs unasked where nothing is confined and nobody is to be asked', async () => {
    const person = new Person()
    await using kit = await open(person, { approvalMode: 'prompt' })
    kit.settings = { ...kit.settings, approvalPolicy: 'never' }
    assert.equal(await kit.call('write'), RAN)
  })

  it('is asked for even when nobody is to be asked, where commands are confined', async () => {
    const person = new Person(ACCEPT)
    await using kit = await open(person)
    kit.settings = {
      ...kit.settings,
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'read-only' },
    }
    assert.equal(await kit.call('write'), RAN)
    assert.equal(person.asked.length, 1)
  })

  it('is asked for as configured', async () => {
    const forSession = { ...ACCEPT, meta: { persist: 'session' } }
    const person = new Person(forSession, forSession)
    const modes = { approvalMode: 'prompt', toolApprovalModes: { write: 'approve' } } as const
    await using kit = await open(person, modes)
    for (const name of ['echo', 'echo', 'write']) await kit.call(name, { text: 'x' })
    const message = 'Allow the fake MCP server to run tool "echo"?'
    assert.deepEqual(person.messages, [message, message])
    assert.ok(person.asked.every(({ meta }) => meta?.persist === undefined))
  })

  it('is not run when the turn ends before the answer', async () => {
    await using kit = await open(undefined)
    kit.clients = {
      canAsk: () => true,
      ask: () => {
        kit.stop.abort(new Error('interrupted'))
        return Promise.reject(kit.stop.signal.reason)
      },
    }
    await assert.rejects(kit.call('write'), /interrupted/)
  })
})

describe('what a server asks during a call', () => {
  const meta = null

  it('is answered by the person', async () => {
    const person = new Person(
      { action: 'accept', content: { name: 'Bob' } },
      {
        action: 'cancel',
        content: null,
      },
    )
    await using kit = await open(person)
    const bob = { action: 'accept', content: { name: 'Bob' } }
    assert.equal(await kit.call('ask'), output(JSON.stringify(bob)))
    assert.equal(await kit.call('ask_page'), output(JSON.stringify({ action: 'cancel' })))
    assert.deepEqual(person.asked, [
      {
        serverName: 'fake',
        message: 'Your name?',
        ask: {
          mode: 'form',
          requestedSchema: {
            type: 'object',
            properties: { name: { type: 'string' } },
            required: ['name'],
          },
        },
        meta,
      },
      {
        serverName: 'fake',
        message: 'Log in',
        ask: { mode: 'url', url: 'https://example.invalid/login' },
        meta,
      },
    ])
  })

  it('is declined where nobody may be asked, can be asked or answers', async () => {
    const declined = output(JSON.stringify({ action: 'decline' }))
    await using kit = await open(undefined)
    assert.equal(await kit.call('ask'), declined)
    kit.clients = new Person(new NoAnswer('gone'))
    assert.equal(await kit.call('ask'), declined)
    kit.clients = new Person()
    kit.settings = { ...kit.settings, approvalPolicy: 'never' }
    assert.equal(await kit.call('ask'), declined)
    const granular = { sandbox_approval: true, mcp_elicitations: false }
    kit.settings = { ...kit.settings, approvalPolicy: { granular } }
    assert.equal(await kit.call('ask'), declined)
  })
})
