/** Law: the quick way through the handshake takes nobody whom the schema would not take so. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Json } from '../base/index.ts'
import { usualClient } from './client-info.ts'
import { parseHandshake } from './handshake.ts'

const text = fc.oneof(fc.constantFrom('', 'client', 'bad\nname', 'ü'), fc.string())
const odd = fc.constantFrom<Json[]>(null, 5, true, [], {}, ['x'], 'x')
const rarely = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: odd })
const flag = rarely(fc.boolean())

const handshake = rarely(
  fc.record(
    {
      clientInfo: rarely(
        fc.record(
          { name: rarely(text), title: rarely(text), version: rarely(text), more: odd },
          { requiredKeys: ['name', 'version'] },
        ),
      ),
      capabilities: rarely(
        fc.record(
          {
            experimentalApi: flag,
            requestAttestation: flag,
            optOutNotificationMethods: rarely(fc.array(rarely(text))),
            eventCursors: flag,
            more: odd,
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['clientInfo'] },
  ),
)

describe('a handshake of the usual shape', () => {
  it('is read as the schema reads it', () => {
    let usual = 0
    fc.assert(
      fc.property(handshake, (params) => {
        const client = usualClient(params as Json)
        if (!client) return
        usual += 1
        assert.deepEqual(client, parseHandshake(params as Json))
      }),
      { numRuns: 1000 },
    )
    assert.ok(usual > 100, `${usual} were usual`)
  })

  it('is that of the clients there are', () => {
    const clientInfo = { name: 'codex-tui', title: null, version: '0.133.0' }
    const optOutNotificationMethods = ['thread/started']
    for (const capabilities of [
      undefined,
      null,
      {},
      { experimentalApi: true, requestAttestation: false, optOutNotificationMethods },
    ]) {
      const params = { clientInfo, ...(capabilities === undefined ? {} : { capabilities }) }
      assert.equal(usualClient(params)?.name, 'codex-tui')
    }
  })
})
