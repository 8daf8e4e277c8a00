import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { METHOD_NAMES } from '../../src/app-server/protocol/method-names.ts'
import type { Json, JsonObject } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { AppServerKit, KitRpcError } from '../support/app-server-kit.ts'

const REQUESTS = 5000
const BATCH = 50
const CODES = new Set([-32600, -32601, -32602, -32603, -32001])

/** Members that methods take, so that many requests get far. */
const MEMBERS = [
  ...['threadId', 'turnId', 'expectedTurnId', 'input', 'path', 'cwd', 'history', 'model', 'config'],
  ...[
    'numTurns',
    'limit',
    'cursor',
    'sortKey',
    'sortDirection',
    'archived',
    'includeTurns',
    'name',
  ],
  ...[
    'approvalPolicy',
    'sandbox',
    'sandboxPolicy',
    'permissions',
    'dynamicTools',
    'items',
    'target',
  ],
  ...['command', 'gitInfo', 'mode', 'objective', 'status', 'keyPath', 'value', 'mergeStrategy'],
  ...['edits', 'query', 'roots', 'watchId', 'processId', 'dataBase64', 'effort', 'outputSchema'],
  ...[
    'responsesapiClientMetadata',
    'ephemeral',
    'excludeTurns',
    'collaborationMode',
    'sourceKinds',
  ],
]

function valuePool(threadId: string, folder: string): fc.Arbitrary<Json> {
  const plain = fc.constantFrom<Json>(
    ...[null, true, false, 0, 1, -1, 1.5, 4_294_967_296, '', ' ', 'x', '\u0000', '\uD800', '../..'],
    ...[threadId, threadId.toUpperCase(), `urn:uuid:${threadId}`, 'never', 'read-only', 'desc'],
    ...[`${folder}/nothing`, 'relative/path', '01a1fd73-4bc5-7000-8000-000000000000', '__proto__'],
  )
  const shaped = fc.constantFrom<Json>(
    ...[[], {}, [null], [{}], ['x'], [['x']], { type: 'text' }, { type: 'nope' }],
    ...[[{ type: 'text', text: 'hi' }], [{ type: 'localImage', path: '/nothing' }]],
    ...[
      { type: 'custom', instructions: '' },
      { type: 'baseBranch', branch: '-x' },
    ],
    ...[{ granular: {} }, { sha: null }, { branch: '' }, ['true'], [''], { a: { b: [{}] } }],
    ...[[{ name: 'x', description: 'y', inputSchema: { type: 'object' } }]],
  )
  return fc.oneof(
    plain,
    shaped,
    fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text) as Json),
  )
}

describe('requests that make no sense', () => {
  it(`are answered, each of ${REQUESTS}, with a code and a text; it goes on`, async () => {
    await using kit = await AppServerKit.open([{ items: [assistantMessage('a')] }])
    const threadId = await kit.startThread()
    await kit.client.runTurn(threadId, 'one')
    const value = valuePool(threadId, kit.project)
    const params = fc.oneof(
      { weight: 1, arbitrary: value },
      { weight: 6, arbitrary: fc.dictionary(fc.constantFrom(...MEMBERS), value, { maxKeys: 8 }) },
    )
    const method = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...METHOD_NAMES) },
      { weight: 1, arbitrary: fc.constantFrom('', 'x', 'thread/', '__proto__', 'constructor') },
    )
    const requests = fc.sample(fc.tuple(method, params), { numRuns: REQUESTS, seed: 20_261_121 })
    let refused = 0
    for (let at = 0; at < requests.length; at += BATCH) {
      const batch = requests.slice(at, at + BATCH)
      const answers = await Promise.allSettled(
        batch.map(([name, given]) => kit.client.request(name, given)),
      )
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'fulfilled') continue
        refused += 1
        const what = JSON.stringify(batch[index])
        assert.ok(answer.reason instanceof KitRpcError, what)
        assert.ok(CODES.has(answer.reason.code), `${what}: ${answer.reason.code}`)
        assert.ok(answer.reason.message.length > 0, what)
        const isOfSystem = /^(fs|command|process)\//.test(batch[index]?.[0] ?? '')
        if (!isOfSystem) assert.notEqual(answer.reason.code, -32603, `${what}: ${answer.reason}`)
      }
    }
    assert.ok(refused > REQUESTS / 2)
    kit.model.add({ items: [assistantMessage('still here')] })
    const fresh = await kit.startThread()
    assert.equal((await kit.client.runTurn(fresh, 'go')).status, 'completed')
  })

  it('before the handshake are refused, whatever they are; then once more is refused', async () => {
    await using kit = await AppServerKit.open()
    const early = await kit.connect({ initialize: false })
    const message = async (method: string, given: JsonObject) =>
      (await early.refused(method, given)).message
    assert.equal(await message('thread/list', {}), 'Not initialized')
    assert.match(String(await message('nosuch', {})), /^Invalid request: unknown variant/)
    assert.match(
      String(await message('turn/start', {})),
      /^Invalid request: missing field `threadId`/,
    )
    const name = 'bad\nname'
    assert.equal(
      await message('initialize', { clientInfo: { name, version: '0' } }),
      `Invalid clientInfo.name: '${name}'. Must be a valid HTTP header value.`,
    )
    await early.initialize()
    assert.equal(
      await message('initialize', { clientInfo: { name: 'x', version: '0' } }),
      'Already initialized',
    )
  })

  it('that are no messages are answered as far as they can be', async () => {
    await using kit = await AppServerKit.open()
    const answers: string[] = []
    const port = kit.server.connect({ send: (text) => answers.push(text) })
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const broken = ['', ' ', 'nonsense', '{', '{"id":1,"method":"x"']
    const senseless = [
      ...['[]', '[1]', '"x"', 'null', '{}', '{"id":1}', '{"method":5}', '{"id":3,"error":"x"}'],
      ...['{"id":null,"method":"thread/list","params":{}}', '{"id":1.5,"method":"thread/list"}'],
      ...['{"id":{},"method":"x"}', deep, `{"id":true,"method":"x"}`],
    ]
    for (const text of [...broken, ...senseless]) port.receive(text)
    port.receive('{"id":7,"result":{}}')
    port.receive('{"method":"nosuch"}')
    port.refuse('too long')
    port.refuse('no UTF-8', '{"id":"cut","method":"x"}')
    port.receive(`{"id":"deep","method":"thread/start","params":{"config":${deep}}}`)
    port.receive('{"id":"last","method":"nosuch","params":{}}')
    await kit.server.settled()
    const told = answers.map((text) => {
      const { id, error } = JSON.parse(text) as { id: Json; error: JsonObject }
      return [id, error.code]
    })
    assert.deepEqual(told, [
      ...broken.map(() => [null, -32700]),
      ...senseless.map(() => [null, -32600]),
      [null, -32700],
      ['cut', -32700],
      ['deep', -32600],
      ['last', -32600],
    ])
  })
})
