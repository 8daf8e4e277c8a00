import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectionFailure } from './connection-failure.ts'

const url = new URL('https://user:secret@models.test:8443/v1/responses?key=secret')

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code })
}

describe('the failure of a connection', () => {
  it('names the cause, its code, and the origin alone of the URL', () => {
    const cases = [
      [
        coded('getaddrinfo ENOTFOUND models.test', 'ENOTFOUND'),
        'getaddrinfo ENOTFOUND models.test',
      ],
      [coded('self-signed certificate', 'SELF_SIGNED'), 'self-signed certificate, SELF_SIGNED'],
      [coded('', 'ECONNRESET'), 'ECONNRESET'],
      ['no connection within 10 s', 'no connection within 10 s'],
    ] as const
    for (const [why, words] of cases) {
      assert.equal(new ConnectionFailure(url, why).message, `${words} (https://models.test:8443)`)
    }
  })

  it('of a name with several addresses says what happened at each', () => {
    const refused = (at: string) => coded(`connect ECONNREFUSED ${at}`, 'ECONNREFUSED')
    const all = new AggregateError([refused('::1:9'), refused('127.0.0.1:9')], '')
    const words = 'connect ECONNREFUSED ::1:9, connect ECONNREFUSED 127.0.0.1:9'
    assert.equal(new ConnectionFailure(url, all).message, `${words} (https://models.test:8443)`)
  })
})
