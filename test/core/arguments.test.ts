/** What plain JavaScript hands in where no compiler has looked. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppServer } from '../../src/app-server/index.ts'
import {
  assistantMessage,
  ResponsesClient,
  ScriptedModel,
  SessionError,
  type SessionFailure,
  ThreadManager,
} from '../../src/core/index.ts'
import { ScriptedResponsesServer } from '../../src/core/testing/index.ts'
import { runTurn, SessionKit } from '../support/session-kit.ts'

const ID = '01a1fde1-b66d-792f-a65a-000000000000'
const GOOD = { cwd: '/p', model: 'm' }

type Call = readonly [method: string, args: readonly unknown[], fault: string]

const MANAGER_CALLS: readonly Call[] = [
  ['start', [], 'params must be an object'],
  ['start', [{ setting: GOOD }], 'params.settings must be an object, but is undefined'],
  ['start', [{ settings: { model: 'm' } }], 'params.settings.cwd must be an absolute path'],
  ['start', [{ settings: { ...GOOD, cwd: 'p' } }], 'params.settings.cwd must be an absolute path'],
  ['start', [{ settings: { ...GOOD, model: '' } }], 'params.settings.model must be a text that is'],
  [
    'start',
    [{ settings: { ...GOOD, approvalPolicy: 'always' } }],
    'params.settings.approvalPolicy must be one of untrusted, on-failure, on-request, never',
  ],
  [
    'start',
    [{ settings: { ...GOOD, sandboxPolicy: 'read-only' } }],
    'params.settings.sandboxPolicy must be an object, but is "read-only"',
  ],
  ['start', [{ settings: GOOD, isEphemeral: 'no' }], 'params.isEphemeral must be true or false'],
  ['start', [{ settings: GOOD, mcpServers: [{}] }], 'params.mcpServers[0].name must be a text'],
  ['resume', [ID], 'params must be an object'],
  ['resume', [{ threadId: ID }], 'params.defaults must be an object'],
  ['resume', [{ defaults: GOOD, overrides: {} }], 'params.threadId must be a text'],
  ['fork', [{ settings: GOOD }], 'params.sourceId must be a text'],
  ['fork', [{ sourceId: ID }], 'params.settings must be an object'],
  ['reviewDetached', [ID], 'source must be an object'],
  ['updateMetadata', [], 'threadId must be a text'],
  ['remove', [], 'threadId must be a text'],
  ['shutDown', [], 'deadlineMs must be a number from 0 on'],
  ['listen', [() => undefined], 'listener must be an object, but is a function'],
]

const HANDLE_CALLS: readonly Call[] = [
  ['startTurn', [], 'input must be a list'],
  ['startTurn', ['hi'], 'input must be a list, but is "hi"'],
  ['startTurn', [[{ type: 'txt' }]], 'input[0].type must be one of text, image, localImage'],
  ['startTurn', [[{ type: 'text' }]], 'input[0].text must be a text, but is undefined'],
  ['startTurn', [[], { signal: 3 }], 'options.signal must be an AbortSignal'],
  ['startTurn', [[], null], 'options must be an object, but is null'],
  ['submitInput', [3], 'input must be a list'],
  ['steerTurn', [[], 3], 'turnId must be a text'],
  ['steerNow', ['hi'], 'input must be a list'],
  ['rollBack', ['1'], 'turnCount must be a number, but is "1"'],
  ['injectItems', [[3]], 'items[0] must be an object'],
  ['callMcpTool', [{ server: 's' }], 'call.tool must be a text'],
  ['readMcpResource', ['s'], 'uri must be a text'],
  ['compact', [3], 'options must be an object'],
  ['startReview', [{ type: 'commit' }], 'target.sha must be a text'],
  ['runShellCommand', [], 'command must be a text'],
  ['interrupt', [3], 'turnId must be a text'],
  ['answerRequests', [{ commandAproval: () => 'accept' }], 'handlers has no member commandAproval'],
  ['listen', [], 'listener must be a function'],
]

function refuses(call: string, fault: string, code: SessionFailure = 'invalid_argument') {
  return (error: unknown) => {
    assert.ok(error instanceof SessionError, String(error))
    assert.equal(error.code, code)
    assert.ok(error.message.startsWith(`${call}: ${fault}`), error.message)
    return true
  }
}

async function refusesAll(target: object, calls: readonly Call[]): Promise<void> {
  for (const [method, args, fault] of calls) {
    const call = Reflect.get(target, method) as (...args: unknown[]) => unknown
    const made = async () => call.apply(target, [...args])
    const name = method === 'steerNow' ? 'steerTurn' : method
    await assert.rejects(made, refuses(name, fault))
  }
}

describe('a call with something else than it takes', () => {
  it('of a manager names the argument, and makes no thread', async () => {
    await using kit = await SessionKit.open([])
    await refusesAll(kit.manager, MANAGER_CALLS)
    assert.deepEqual([kit.manager.list(), kit.homeFiles()], [[], []])
  })

  it('of a thread names the argument, and the thread goes on as if it had not been', async () => {
    await using kit = await SessionKit.open([{ items: [assistantMessage('done')] }])
    const handle = await kit.start()
    await refusesAll(handle, HANDLE_CALLS)
    const run = Reflect.apply(handle.run, handle, [3]) as AsyncGenerator
    await assert.rejects(run.next(), refuses('run', 'input must be a list'))
    const before = handle.settings
    const patch = () => Reflect.apply(handle.updateSettings, handle, [{ modle: 'x' }])
    assert.throws(patch, refuses('settings', 'patch has no member modle', 'invalid_settings'))
    assert.deepEqual([handle.settings, handle.activeTurn, kit.logs()], [before, undefined, []])
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
  })

  it('of a constructor names the argument', async () => {
    await using kit = await SessionKit.open([])
    const { store } = kit
    const client = new ScriptedModel([])
    const makes = [
      [ThreadManager, {}, 'options.store must be an object'],
      [ThreadManager, { store: kit.home, modelAccess: client }, 'options.store must be an object'],
      [ThreadManager, { store, modelAccess: client }, 'options.modelAccess must be a function'],
      [ResponsesClient, {}, 'options.provider must be an object'],
      [ResponsesClient, { provider: { baseUrl: 'x' } }, 'options.provider.baseUrl must be an http'],
      [ScriptedModel, undefined, 'script must be a list'],
    ] as const
    for (const [made, options, fault] of makes) {
      assert.throws(() => Reflect.construct(made, [options]), refuses(made.name, fault))
    }
    const start = async () =>
      Reflect.apply(ScriptedResponsesServer.start, ScriptedResponsesServer, [])
    await assert.rejects(start, refuses('start', 'script must be a list'))
    assert.throws(() => Reflect.construct(AppServer, [{}]), {
      name: 'TypeError',
      message: 'AppServer: options.runtime must be a function, but is undefined',
    })
  })

  it('of a client where access to it was wanted is told when a thread asks for it', async () => {
    await using kit = await SessionKit.open([])
    const client = new ScriptedModel([])
    const options = { store: kit.store, modelAccess: () => client }
    await using manager = Reflect.construct(ThreadManager, [options]) as ThreadManager
    const started = manager.start({ settings: kit.settings })
    await assert.rejects(started, refuses('modelAccess', 'its answer.client must be an object'))
    assert.deepEqual(kit.homeFiles(), [])
  })
})
