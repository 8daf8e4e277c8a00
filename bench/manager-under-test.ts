/** Bobbin's thread manager as the bench uses it. */
import { ResponsesClient, ThreadManager } from '../src/core/index.ts'
import { LocalThreadStore } from '../src/thread-store/index.ts'

export interface Managed extends AsyncDisposable {
  readonly manager: ThreadManager
}

/** Threads in the home, at the default durability; turns ask the server at `baseUrl`. */
export function openManager(home: string, baseUrl: string): Managed {
  const client = new ResponsesClient({
    provider: { baseUrl, requestMaxRetries: 0, streamMaxRetries: 0, streamIdleTimeoutMs: 10_000 },
    originator: 'bobbin_bench',
    version: '0.0.0',
  })
  const store = new LocalThreadStore({ home })
  const manager = new ThreadManager({
    store,
    modelAccess: () => ({ client, streamMaxRetries: 0 }),
    origin: { originator: 'bobbin_bench', source: 'exec' },
    version: '0.0.0',
  })
  return {
    manager,
    [Symbol.asyncDispose]: async () => {
      await manager[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export function settingsIn(cwd: string) {
  return {
    cwd,
    model: 'gpt-5.4',
    modelProvider: 'mock',
    approvalPolicy: 'never',
    sandboxPolicy: { type: 'danger-full-access' },
  } as const
}
