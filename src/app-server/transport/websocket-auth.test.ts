import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { refuseToken } from './signed-token.ts'
import { type AuthFlags, readAuth } from './websocket-auth.ts'

const TOKEN_FLAGS = '`--ws-token-file` and `--ws-token-sha256`'
const EITHER = '`--ws-token-file` or `--ws-token-sha256`'
const SIGNED_FLAGS =
  '`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds`'
const BOTH = '`--ws-auth capability-token` or `--ws-auth signed-bearer-token`'

describe('readAuth', () => {
  it('refuses flags that do not go together, in the words of 0.133.0', async () => {
    await using folder = await TempFolder.create()
    writeFileSync(folder.at('empty'), ' \n')
    writeFileSync(folder.at('short'), `${'x'.repeat(31)}\n`)
    const capability = { wsAuth: 'capability-token' }
    const signed = { wsAuth: 'signed-bearer-token' }
    const empty = folder.at('empty')
    const short = folder.at('short')
    const missing = folder.at('missing')
    const cases: [AuthFlags, string][] = [
      [{ wsTokenFile: 'x' }, `websocket auth flags require ${BOTH}`],
      [{ wsAuth: 'none', wsIssuer: 'x' }, `websocket auth flags require ${BOTH}`],
      [capability, `${EITHER} is required when \`--ws-auth capability-token\` is set`],
      [
        { ...capability, wsTokenFile: 'x', wsTokenSha256: 'y' },
        `${TOKEN_FLAGS} are mutually exclusive`,
      ],
      [
        { ...capability, wsTokenSha256: 'abc' },
        '--ws-token-sha256 must be a 64-character hex SHA-256 digest',
      ],
      [
        { ...capability, wsIssuer: 'x' },
        `${SIGNED_FLAGS} require \`--ws-auth signed-bearer-token\``,
      ],
      [
        { ...capability, wsTokenFile: missing },
        `failed to read websocket auth secret ${missing}: No such file or directory (os error 2)`,
      ],
      [{ ...capability, wsTokenFile: empty }, `websocket auth secret ${empty} must not be empty`],
      [signed, '`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set'],
      [
        { ...signed, wsTokenFile: 'x' },
        `${TOKEN_FLAGS} require \`--ws-auth capability-token\`, not \`signed-bearer-token\``,
      ],
      [
        { ...signed, wsSharedSecretFile: short },
        `signed websocket bearer secret ${short} must be at least 32 bytes`,
      ],
    ]
    for (const [flags, message] of cases) {
      assert.throws(() => readAuth(flags), { message, code: 'failed' })
    }
    for (const flags of [{ wsAuth: 'basic' }, { wsMaxClockSkewSeconds: '-1' }]) {
      assert.throws(() => readAuth(flags), { code: 'usage' })
    }
    assert.equal(readAuth({}), undefined)
    assert.deepEqual(readAuth({ wsAuth: 'none' }), { mode: 'none' })
  })
})

describe('refuseToken', () => {
  const secret = Buffer.from('s'.repeat(32))
  const rules = { secret, issuer: undefined, audience: undefined, maxSkewSeconds: 30 }
  const signed = (head: string, claims: string, key = secret) => {
    const text = [head, claims].map((part) => Buffer.from(part).toString('base64url')).join('.')
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  }
  const refuse = (token: string, nowS: number) => refuseToken(token, rules, nowS * 1000)

  it('counts with clocks that differ by so many seconds, and no more', () => {
    const token = signed('{"alg":"HS256"}', '{"exp":1000,"nbf":500}')
    assert.deepEqual(
      [469, 470, 1030, 1031].map((nowS) => refuse(token, nowS)),
      ['websocket jwt is not valid yet', undefined, undefined, 'expired websocket jwt'],
    )
  })

  it('takes nothing that is signed otherwise, or says what it does not know', () => {
    const good = signed('{"alg":"HS256","typ":"JWT"}', '{"exp":1000}')
    assert.equal(refuse(good, 0), undefined)
    const invalid = [
      signed('{"alg":"none"}', '{"exp":1000}'),
      signed('{"alg":"HS512"}', '{"exp":1000}'),
      signed('{"alg":"HS256","crit":["x"]}', '{"exp":1000}'),
      signed('{"alg":"HS256"}', '{}'),
      signed('{"alg":"HS256"}', '{"exp":"1000"}'),
      signed('{"alg":"HS256"}', '{"exp":1000,"nbf":"0"}'),
      signed('{"alg":"HS256"}', 'null'),
      signed('{"alg":"HS256"}', '{"exp":1000}', Buffer.from('t'.repeat(32))),
      `${good}=`,
      `${good}.x`,
      good.slice(0, -1),
      good.split('.').slice(0, 2).join('.'),
      '',
    ]
    for (const token of invalid) assert.equal(refuse(token, 0), 'invalid websocket jwt', token)
  })
})
