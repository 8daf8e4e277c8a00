/**
 * Bobbin as the bench drives it: one thread of a scratch home, one turn for each line of standard
 * input, answered with the times of the call and of its last event. Arguments: home, project, base
 * URL.
 */
import { nodeFileSystem, systemClock } from '../src/base/index.ts'
import { ResponsesClient, ThreadManager } from '../src/core/index.ts'
import { LocalThreadStore } from '../src/thread-store/index.ts'
import { readLinesOf, unixMs, writeLine } from './line-pipe.ts'

const [home = '', cwd = '', baseUrl = ''] = process.argv.slice(2)

const client = new ResponsesClient({
  provider: {
    id: 'mock',
    name: 'mock',
    baseUrl,
    bearerToken: undefined,
    headers: {},
    queryParams: {},
    requestMaxRetries: 0,
    streamMaxRetries: 0,
    streamIdleTimeoutMs: 10_000,
  },
  clock: systemClock,
  originator: 'bobbin_bench',
  version: '0.0.0',
  installationId: async () => '00000000-0000-4000-8000-000000000000',
})

await using store = new LocalThreadStore({
  home,
  files: nodeFileSystem,
  clock: systemClock,
  durability: 'turn',
})
await using manager = new ThreadManager({
  store,
  clock: systemClock,
  modelAccess: () => ({ client, streamMaxRetries: 0 }),
  origin: { originator: 'bobbin_bench', source: 'exec' },
  version: '0.0.0',
  environment: process.env,
})
const handle = await manager.start({
  settings: {
    cwd,
    model: 'gpt-5.4',
    modelProvider: 'mock',
    approvalPolicy: 'never',
    sandboxPolicy: { type: 'danger-full-access' },
  },
})
let whenEnded: (() => void) | undefined
handle.listen((event) => {
  if (event.type !== 'turnCompleted') return
  if (event.status !== 'completed') throw new Error(`the turn was ${event.status}`)
  whenEnded?.()
})
writeLine('ready')
for await (const line of readLinesOf(process.stdin)) {
  const ended = new Promise<number>((resolve) => {
    whenEnded = () => resolve(unixMs())
  })
  const calledMs = unixMs()
  await handle.startTurn([{ type: 'text', text: line }])
  writeLine(JSON.stringify({ calledMs, endedMs: await ended }))
}
