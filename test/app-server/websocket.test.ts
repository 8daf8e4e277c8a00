import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type JsonObject, systemClock } from '../../src/base/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { bearerOf, ServerProcess, SocketPeer } from '../support/server-process.ts'

const SECRET = 'a shared secret of at least thirty-two bytes'

function jwt(claims: JsonObject, header: JsonObject = { alg: 'HS256' }, secret = SECRET): string {
  const part = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

/** Status and text of an attempt, `open` when it succeeds. */
async function knock(url: string, headers: { [name: string]: string }): Promise<unknown[]> {
  const opened = await SocketPeer.open(url, headers)
  if (!('peer' in opened)) return [opened.status, opened.body]
  await opened.peer[Symbol.asyncDispose]()
  return ['open']
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A plain request, with any Host; `fetch` would not send one. */
function ask(url: string, method: string, headers: { [name: string]: string } = {}) {
  return new Promise<unknown[]>((done, fail) => {
    const asked = request(url.replace('ws:', 'http:'), { method, headers }, (response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => done([response.statusCode, body, response.headers.allow]))
    })
    asked.on('error', fail).end()
  })
}

describe('bobbin app-server over WebSockets', () => {
  it('asks for the token of the home, and keeps pages and foreign names out', async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place)
    const { url } = server
    const tokenFile = join(place.home, 'app-server-control', 'ws-token')
    const good = await bearerOf(place)
    const token = good.authorization.slice('Bearer '.length)
    const http = url.replace('ws:', 'http:')
    assert.equal(
      server.stderr,
      `bobbin app-server (WebSockets)
  listening on: ${url}
  readyz: ${http}/readyz
  healthz: ${http}/healthz
  note: binds localhost only (use SSH port-forwarding for remote access)
  token file: ${tokenFile}
  token: ${token}
`,
    )
    assert.equal((await stat(tokenFile)).mode & 0o777, 0o600)
    const missing = [401, 'missing websocket bearer token']
    assert.deepEqual(await knock(url, {}), missing)
    assert.deepEqual(await knock(`${url}/readyz2?token=${token}`, {}), missing)
    const wrong = [401, 'invalid websocket bearer token']
    assert.deepEqual(await knock(url, bearer(`${token}x`)), wrong)
    const invalid = [401, 'invalid authorization header']
    assert.deepEqual(await knock(url, { authorization: `Basic ${token}` }), invalid)
    assert.deepEqual(await knock(url, { authorization: `BEARER ${token}` }), ['open'])
    assert.deepEqual(await knock(`${url}/any/path?query`, good), ['open'])
    const port = new URL(url).port
    for (const origin of ['null', url, 'http://localhost']) {
      assert.deepEqual(await knock(url, { ...good, origin }), [403, ''])
    }
    for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', '[::2]:80']) {
      assert.deepEqual(await knock(url, { ...good, host }), [403, ''], host)
    }
    for (const host of [`localhost:${port}`, 'LOCALHOST:9999', `[::1]:${port}`, '127.0.0.1']) {
      assert.deepEqual(await knock(url, { ...good, host }), ['open'], host)
    }
  })

  it('answers to plain requests: health, and what is no handshake', async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    const { url } = server
    for (const path of ['/readyz', '/healthz']) {
      assert.deepEqual(await ask(`${url}${path}`, 'GET'), [200, '', undefined])
      assert.deepEqual(await ask(`${url}${path}`, 'HEAD'), [200, '', undefined])
      assert.deepEqual(await ask(`${url}${path}`, 'POST'), [405, '', 'GET,HEAD'])
      assert.deepEqual(await ask(`${url}${path}`, 'GET', { origin: 'x' }), [403, '', undefined])
      assert.deepEqual(await ask(`${url}${path}`, 'GET', { host: 'x' }), [403, '', undefined])
    }
    const noUpgrade = "Connection header did not include 'upgrade'"
    assert.deepEqual(await ask(url, 'GET'), [400, noUpgrade, undefined])
    const noVersion = "`Sec-WebSocket-Version` header did not include '13'"
    assert.deepEqual(await ask(url, 'GET', { connection: 'upgrade', upgrade: 'websocket' }), [
      400,
      noVersion,
      undefined,
    ])
  })

  it('takes a token of the user, by its file or its digest, and prints it nowhere', async () => {
    await using place = await Workplace.create()
    const token = 'my-own-token'
    await writeFile(join(place.project, 'token'), `${token}\n`)
    const digest = createHash('sha256').update(token).digest('hex').toUpperCase()
    for (const flags of [
      ['--ws-token-file', 'token'],
      ['--ws-token-sha256', digest],
    ]) {
      await using server = await ServerProcess.listen(place, [
        '--ws-auth',
        'capability-token',
        ...flags,
      ])
      assert.deepEqual(await knock(server.url, bearer(token)), ['open'])
      assert.deepEqual(await knock(server.url, bearer(digest)), [
        401,
        'invalid websocket bearer token',
      ])
      assert.ok(!server.stderr.includes('token'), server.stderr)
    }
    assert.deepEqual(await place.homeFiles(), [])
  })

  it('takes signed tokens that hold now, of this issuer, for this audience', async () => {
    await using place = await Workplace.create()
    await writeFile(join(place.project, 'secret'), `${SECRET}\n`)
    const flags = ['--ws-auth', 'signed-bearer-token', '--ws-shared-secret-file', 'secret']
    const more = ['--ws-issuer', 'me', '--ws-audience', 'bobbin']
    await using server = await ServerProcess.listen(place, [
      ...flags,
      ...more,
      '--ws-max-clock-skew-seconds',
      '600',
    ])
    const now = Math.floor(systemClock.nowMs() / 1000)
    const good = { exp: now + 3600, iss: 'me', aud: ['other', 'bobbin'] }
    const { exp: _, ...endless } = good
    const cases: [string, unknown[]][] = [
      [jwt(good), ['open']],
      [jwt({ ...good, exp: now - 300, nbf: now + 300, aud: 'bobbin' }), ['open']],
      [jwt({ ...good, exp: now - 900 }), [401, 'expired websocket jwt']],
      [jwt({ ...good, nbf: now + 900 }), [401, 'websocket jwt is not valid yet']],
      [jwt({ ...good, iss: 'you' }), [401, 'websocket jwt issuer mismatch']],
      [jwt({ ...good, aud: ['other'] }), [401, 'websocket jwt audience mismatch']],
      [jwt(endless), [401, 'invalid websocket jwt']],
      [jwt(good, { alg: 'none' }), [401, 'invalid websocket jwt']],
      [jwt(good, { alg: 'HS256' }, `${SECRET}!`), [401, 'invalid websocket jwt']],
      ['a.b.c', [401, 'invalid websocket jwt']],
    ]
    for (const [token, outcome] of cases) {
      assert.deepEqual(await knock(server.url, bearer(token)), outcome)
    }
    assert.deepEqual(await knock(server.url, {}), [401, 'missing websocket bearer token'])
  })

  it('serves fifty clients, each in its own handshake', async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place)
    await using peers = new AsyncDisposableStack()
    const headers = await bearerOf(place)
    const names = Array.from({ length: 50 }, (_, n) => `client-${n}`)
    const agents = await Promise.all(
      names.map(async (name) => {
        const peer = peers.use(await SocketPeer.connect(server.url, headers))
        const { userAgent } = await peer.initialize(name)
        return String(userAgent)
      }),
    )
    assert.deepEqual(
      agents.map((agent) => /\((client-\d+); 0\)$/.exec(agent)?.[1]),
      names,
    )
  })

  it('refuses what is no text message, and drops who breaks the rules alone', async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    await using good = await SocketPeer.connect(server.url)
    await using bad = await SocketPeer.connect(server.url)
    good.socket.send(Buffer.from('{"id":1,"method":"nosuch"}'))
    good.socket.send('{"id":2,"method":"nosuch"}{"id":3,"method":"nosuch"}')
    good.socket.send('{"id":4,', { fin: false })
    good.socket.send('"method":"nosuch"}')
    await good.answer(4)
    assert.deepEqual(
      good.messages.map(({ id }) => id),
      [null, null, 4],
    )
    // Half of a character as a text message.
    bad.socket.send(Buffer.from([0xe2, 0x82]), { binary: false })
    assert.equal((await bad.closed).code, 1007)
    await good.initialize()
  })

  it('refuses to start where anybody could connect, and flags that do not fit', async () => {
    await using place = await Workplace.create()
    await writeFile(join(place.project, 'short'), 'short')
    const fix = '`--ws-auth capability-token` or `--ws-auth signed-bearer-token`'
    const open = 'refusing to start non-loopback websocket listener 0.0.0.0:0 without auth'
    const signed = ['--ws-auth', 'signed-bearer-token', '--ws-shared-secret-file', 'short']
    const secret = join(place.project, 'short')
    const cases: [string[], number, string][] = [
      [['--listen', 'ws://0.0.0.0:0'], 1, `${open}; configure ${fix}`],
      [['--listen', 'ws://0.0.0.0:0', '--ws-auth', 'none'], 1, `${open}; configure ${fix}`],
      [signed, 1, `signed websocket bearer secret ${secret} must be at least 32 bytes`],
      [['--listen', 'ws://localhost:1'], 2, 'invalid websocket --listen URL `ws://localhost:1`'],
      [['--drain-seconds', 'soon'], 2, '--drain-seconds soon: not a whole number of seconds'],
    ]
    for (const [args, exitCode, text] of cases) {
      const outcome = await place.run(['app-server', ...args])
      assert.deepEqual([outcome.exitCode, outcome.stdout], [exitCode, ''])
      assert.ok(outcome.stderr.startsWith(`bobbin: ${text}`), outcome.stderr)
    }
  })
})
