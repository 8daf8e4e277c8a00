import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLoopback, parseListenUrl } from './listen-url.ts'

describe('parseListenUrl', () => {
  it('knows stdio, sockets, addresses with ports, and off', () => {
    const parsed = ['stdio://', 'off', 'unix://', 'unix:///a', 'ws://1.2.3.4:0', 'ws://[::1]:65535']
    assert.deepEqual(parsed.map(parseListenUrl), [
      { kind: 'stdio' },
      { kind: 'off' },
      { kind: 'unix', path: undefined },
      { kind: 'unix', path: '/a' },
      { kind: 'websocket', host: '1.2.3.4', port: 0 },
      { kind: 'websocket', host: '::1', port: 65_535 },
    ])
  })

  it('refuses the rest in the words of 0.133.0', () => {
    for (const at of [
      'localhost:1',
      '1.2.3.4',
      '1.2.3.4:65536',
      '1.2.3.4:1/',
      '::1:1',
      '[1.2.3.4]:1',
    ]) {
      const message = `invalid websocket --listen URL \`ws://${at}\`; expected \`ws://IP:PORT\``
      assert.throws(() => parseListenUrl(`ws://${at}`), { message, code: 'usage' })
    }
    const expected = '`stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`'
    for (const url of ['', 'stdio', 'tcp://1.2.3.4:1', 'WS://1.2.3.4:1']) {
      const message = `unsupported --listen URL \`${url}\`; expected ${expected}`
      assert.throws(() => parseListenUrl(url), { message, code: 'usage' })
    }
  })

  it('tells addresses of this machine from others', () => {
    const hosts = ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '10.0.0.1', '127.evil']
    assert.deepEqual(hosts.filter(isLoopback), ['127.0.0.1', '127.9.9.9', '::1'])
  })
})
