/**
 * `node broken-server.ts <fault> [file]`: a server that misbehaves in one way. It shakes hands and
 * lists the tool `go`, unless its fault is to do neither.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [, , fault = '', file = ''] = process.argv

interface Incoming {
  readonly id?: number
  readonly method: string
  readonly params: { readonly protocolVersion: string }
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

function deepArray(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

const FAULTS: { readonly [name: string]: (id: number) => void } = {
  rubbish: (id) => {
    process.stdout.write('this is no JSON\n{"jsonrpc":"2.0"}\n[1]\nnull\n"text"\n')
    process.stdout.write('{"jsonrpc":"2.0","id":"other","result":{}}\n\xff\n')
    send({ id, result: { content: [{ type: 'text', text: 'behind rubbish' }] } })
  },
  shape: (id) => send({ id, result: { content: 'no list' } }),
  empty: (id) => send({ id, result: {} }),
  deep: (id) => {
    const content = `[{"type":"text","text":"x","deep":${deepArray(100_000)}}]`
    process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":${content}}}\n`)
  },
  flood: () => {
    const piece = 'x'.repeat(1024 * 1024)
    const more = (): void => {
      while (process.stdout.write(piece));
      process.stdout.once('drain', more)
    }
    more()
  },
  verbose: (id) => send({ id, error: { code: 1, message: 'x'.repeat(1_000_000) } }),
  dies: () => process.exit(4),
}

if (fault === 'exits') {
  process.stderr.write('some line\ncannot find my settings\n')
  process.exit(1)
}
if (fault === 'deaf') {
  process.on('SIGTERM', () => undefined)
  const child = spawn('/bin/sh', ['-c', 'trap "" TERM; while :; do sleep 1000; done'])
  writeFileSync(file, JSON.stringify([process.pid, child.pid]))
  setInterval(() => undefined, 1000)
}
if (fault === 'noisy') {
  const noise = 'e'.repeat(64 * 1024)
  for (let count = 0; count < 64; count += 1) process.stderr.write(`${noise}\n`)
}

let lists = 0
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as Incoming
  if (fault === 'hangs' || id === undefined) return
  if (method === 'initialize') {
    const { protocolVersion } = params
    const serverInfo = { name: 'broken', version: '1' }
    send({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo } })
  } else if (method === 'tools/list') {
    lists += 1
    if (fault === 'early' && lists === 1) send({ method: 'notifications/tools/list_changed' })
    const later = fault === 'early' && lists === 2 ? [{ name: 'later', inputSchema: {} }] : []
    const tool = { name: 'go', inputSchema: {}, annotations: { readOnlyHint: true } }
    const more = fault === 'endless' ? { nextCursor: 'again' } : {}
    send({ id, result: { tools: [tool, null, { name: 7 }, 'x', tool, ...later], ...more } })
  } else if (FAULTS[fault]) FAULTS[fault](id)
  else send({ id, result: { content: [{ type: 'text', text: `${fault} went` }] } })
})
