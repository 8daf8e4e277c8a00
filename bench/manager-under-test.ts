/** Bobbin's thread manager as the bench uses it. */
import { systemClock } from '../src/base/index.ts'
import { ResponsesClient, ThreadManager } from '../src/core/index.ts'
import { LocalThreadStore } from '../src/thread-store/index.ts'

export interface Managed extends AsyncDisposable {
  readonly manager: ThreadManager
}

/** Threads in the home, at the default durability; turns ask the server at `baseUrl`. */
export function openManager(home: string, baseUrl: string): Managed {
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
