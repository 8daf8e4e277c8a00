/**
 * Rule: the same calls under the same policy, answered alike, lead to the same questions, the same
 * history and the same rules file in real Codex 0.133.0 and in Bobbin. Where Bobbin means to
 * differ, `DIFFERENCES` says why.
 */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'

import type { Json, JsonObject } from '../../src/base/index.ts'
import { isObject, objectAt, stringAt } from '../../src/base/index.ts'
import { composeManager, openStore } from '../../src/cli/compose.ts'
import { loadConfig } from '../../src/config/index.ts'
import { findSandbox } from '../../src/core/index.ts'
import type {
  ApprovalPolicy,
  CommandDecision,
  PatchDecision,
  SandboxMode,
  ThreadId,
} from '../../src/protocol/index.ts'
import { ScriptedResponsesServer, type ScriptedStep } from '../support/responses-server.ts'
import { runTurn } from '../support/session-kit.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { isContext } from './model-input.ts'
import { Normaliser } from './normalise.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, patches, runs, says } from './scripts.ts'

type Decision = CommandDecision | PatchDecision

interface Scenario {
  readonly policy: ApprovalPolicy
  readonly sandbox: SandboxMode
  /** The calls of each turn. */
  readonly turns: readonly (readonly JsonObject[])[]
  /** Answers in the order of the questions; whatever else is asked is declined. */
  readonly decisions?: readonly Decision[]
  readonly status?: 'completed' | 'interrupted'
  /** Real Codex sees that its sandbox stopped a command only when that has ended soon enough. */
  readonly isTimed?: boolean
}

/** What one program made of a scenario. */
interface Outcome {
  readonly status: Json
  readonly questions: Json
  readonly history: Json
  readonly requested: Json
}

const here = await findSandbox({ searchPath: process.env.PATH })
after(() => here[Symbol.dispose]())

/** How often real Codex is given another chance to be quick. */
const ATTEMPTS = 5

const RULES = `prefix_rule(pattern=["git", "push"], decision="prompt", justification="it is public")
prefix_rule(pattern=["npm"], decision="prompt")
prefix_rule(pattern=["git", "pull"], decision="forbidden", justification="use fetch")
prefix_rule(pattern=["curl"], decision="forbidden")
prefix_rule(pattern=["printf"], decision="allow")
`

const granular = (off: JsonObject = {}): ApprovalPolicy => ({
  granular: {
    sandbox_approval: true,
    rules: true,
    skill_approval: true,
    request_permissions: true,
    mcp_elicitations: true,
    ...off,
  },
})

const ESCALATED = { sandbox_permissions: 'require_escalated', justification: 'May I?' }
const full = 'danger-full-access'
const ww = 'workspace-write'
const timed = { sandbox: ww, isTimed: true } as const
const one = (...items: readonly JsonObject[]) => [items]
const adds = (path: string, callId = 'c1') => patches([`*** Add File: ${path}`, '+x'], callId)
const amend = (...prefix: string[]): Decision => ({
  acceptWithExecpolicyAmendment: { execpolicy_amendment: prefix },
})

const DECISIONS: { readonly [name: string]: Decision } = {
  accept: 'accept',
  'accept for the session': 'acceptForSession',
  decline: 'decline',
  cancel: 'cancel',
}

/** Every decision on a question, asked in a turn and in the next one. */
function each(
  name: string,
  scenario: Omit<Scenario, 'turns' | 'decisions'>,
  items: (at: number) => readonly JsonObject[],
): { readonly [name: string]: Scenario } {
  const entries = Object.entries(DECISIONS).map(([said, decision], at): [string, Scenario] => {
    const turns = decision === 'cancel' ? [items(at)] : [items(at), items(at)]
    const status = decision === 'cancel' ? 'interrupted' : 'completed'
    return [`${name}: ${said}`, { ...scenario, turns, decisions: [decision], status }]
  })
  return Object.fromEntries(entries)
}

/** Without a sandbox in play: these run everywhere. */
const OPEN: { readonly [name: string]: Scenario } = {
  ...each('an unknown command', { policy: 'untrusted', sandbox: full }, (at) => [
    runs(`mkdir -p open-${at}`, 'c1'),
  ]),
  ...each('a forced rm', { policy: 'on-request', sandbox: full }, (at) => [
    runs(`rm -rf open-${at}`, 'c1'),
  ]),
  ...each('a patch', { policy: 'untrusted', sandbox: full }, (at) => [adds(`patch-${at}`)]),
  'an approved prefix': {
    policy: 'untrusted',
    sandbox: full,
    turns: [[runs('touch a1', 'c1')], [runs('touch a2', 'c1'), runs('touchy', 'c2')]],
    decisions: [amend('touch')],
  },
  'a command line with something to ask': {
    policy: 'untrusted',
    sandbox: full,
    turns: one(
      runs('ls && mkdir x1 | foo', 'c1'),
      runs('echo a > b', 'c2'),
      runs('cat <<EOF\nx\nEOF\n', 'c3'),
      runs('bash -lc "foo"', 'c4', { justification: 'Why not?' }),
      runs('FOO=1 make all', 'c5', { prefix_rule: ['make'] }),
    ),
  },
  'rules that ask and forbid': {
    policy: 'on-request',
    sandbox: full,
    turns: one(
      runs('git push && mkdir x2', 'c1'),
      runs('npm install', 'c2'),
      runs('ls && git pull', 'c3'),
      runs('curl x; git pull', 'c4'),
      runs('/usr/bin/curl x', 'c5', ESCALATED),
    ),
  },
  'rules where nobody may be asked': {
    policy: 'never',
    sandbox: full,
    turns: one(runs('git push', 'c1'), runs('curl x', 'c2'), runs('rm -rf x3', 'c3')),
  },
  'rules that may not ask': {
    policy: granular({ rules: false }),
    sandbox: full,
    turns: one(runs('git push', 'c1'), runs('rm -rf x4', 'c2')),
  },
  'a policy that may not ask about the sandbox': {
    policy: granular({ sandbox_approval: false }),
    sandbox: full,
    turns: one(runs('rm -rf x5', 'c1'), runs('git push', 'c2'), runs('mkdir x5', 'c3')),
  },
  'a way out of no sandbox': {
    policy: 'on-request',
    sandbox: full,
    turns: one(runs('mkdir x6', 'c1', ESCALATED)),
  },
  'a way out that may not be asked for': {
    policy: 'never',
    sandbox: ww,
    turns: one(runs('ls', 'c1', ESCALATED), runs('rm -rf x7', 'c2')),
  },
  'a way out under a granular policy': {
    policy: granular(),
    sandbox: 'read-only',
    turns: one(runs('ls', 'c1', ESCALATED)),
  },
  'a patch beyond the project': {
    policy: 'on-request',
    sandbox: ww,
    turns: [[adds('../outside/p1')], [adds('.git/p2')], [adds('in-1')]],
    decisions: ['accept', 'decline'],
  },
  'a patch beyond the project, refused': {
    policy: 'never',
    sandbox: ww,
    turns: one(adds('../outside/p3'), adds('.git/p4', 'c2'), adds('in-2', 'c3')),
  },
  'a patch where nothing may be written': {
    policy: 'never',
    sandbox: 'read-only',
    turns: one(adds('in-3')),
  },
  'a patch where nothing may be written, asked for': {
    policy: 'on-request',
    sandbox: 'read-only',
    turns: one(adds('in-4')),
    decisions: ['accept'],
  },
  'a patch that may not be asked for': {
    policy: granular({ sandbox_approval: false }),
    sandbox: ww,
    turns: one(adds('../outside/p5'), adds('in-5', 'c2')),
  },
}

/** These need a sandbox that works. */
const CONFINED: { readonly [name: string]: Scenario } = {
  ...each('a way out', { policy: 'on-request', sandbox: ww }, (at) => [
    runs(`mkdir -p ../outside/way-${at}`, 'c1', ESCALATED),
  ]),
  ...each('a command that was stopped', { policy: 'on-failure', ...timed }, (at) => [
    runs(`mkdir -p ../outside/stopped-${at}`, 'c1', { login: false }),
  ]),
  ...each('an unknown command that is stopped', { policy: 'untrusted', ...timed }, (at) => [
    runs(`mkdir -p ../outside/unknown-${at}`, 'c1', { login: false }),
  ]),
  'a command that stays inside': {
    policy: 'on-request',
    sandbox: ww,
    turns: [
      [runs('mkdir y1 && echo made', 'c1')],
      [runs('mkdir ../outside/y1', 'c1')],
      [runs('mkdir .codex', 'c1')],
      [runs('touch .git/y', 'c1')],
      [runs('rm -rf ../outside', 'c1')],
      [runs('kill -9 $$', 'c1')],
      [runs('echo $CODEX_SANDBOX_NETWORK_DISABLED', 'c1')],
    ],
    decisions: ['accept'],
  },
  'a command that may only read': {
    policy: 'never',
    sandbox: 'read-only',
    turns: [[runs('touch y2', 'c1')], [runs('ls; cat a.txt', 'c1')]],
  },
  'a rule that lets out': {
    policy: 'never',
    sandbox: ww,
    turns: [
      [runs('printf out', 'c1')],
      // Real Codex reads two pipes: what comes out of both has no order there.
      [runs('printf "" && mkdir ../outside/y3', 'c1')],
      [runs('printf out > ../outside/y3', 'c1')],
    ],
  },
  'a denial under a granular policy': {
    policy: granular(),
    ...timed,
    turns: one(runs('mkdir ../outside/y4', 'c1', { login: false })),
  },
  'a denial that may not be asked about': {
    policy: granular({ sandbox_approval: false }),
    sandbox: ww,
    turns: one(runs('mkdir ../outside/y5', 'c1')),
  },
  'a prefix that the model asks for': {
    policy: 'on-request',
    sandbox: ww,
    turns: one(
      runs('foo a && foo b', 'c1', { ...ESCALATED, prefix_rule: ['foo'] }),
      runs('foo a && bar', 'c2', { ...ESCALATED, prefix_rule: ['foo'] }),
      runs('python3 x.py', 'c3', { ...ESCALATED, prefix_rule: ['python3'] }),
      runs('ls', 'c4', ESCALATED),
    ),
  },
}

/** Lines and words of one side only, with the reason. Nothing else may differ. */
const DIFFERENCES = {
  /** Real Codex leaves the item of a cancelled patch open; in Bobbin what began also ends. */
  cancelledPatch: (line: JsonObject) =>
    line.type === 'patch_apply_end' && line.status === 'declined',
} as const

/** Bobbin keeps outputs when all are there, real Codex each as it comes: events may lie between. */
const isItem = (line: JsonObject) => line.type !== 'patch_apply_end'

interface Program extends AsyncDisposable {
  readonly model: Model
  play(scenario: Scenario): Promise<Outcome>
}

class Model implements AsyncDisposable {
  readonly server: ScriptedResponsesServer
  readonly #steps: ScriptedStep[]

  private constructor(server: ScriptedResponsesServer, steps: ScriptedStep[]) {
    this.server = server
    this.#steps = steps
  }

  static async start(): Promise<Model> {
    const steps: ScriptedStep[] = []
    const otherwise = concludes('unexpected')
    const server = await ScriptedResponsesServer.start(() => steps.shift() ?? otherwise)
    return new Model(server, steps)
  }

  say(items: readonly JsonObject[]): void {
    this.#steps.splice(0, this.#steps.length, says(...items), concludes('done'))
  }

  /** What the last request says of the sandbox. */
  get sandboxName(): Json {
    const header = this.server.modelRequests.at(-1)?.headers['x-codex-turn-metadata'] ?? '{}'
    const metadata: Json = JSON.parse(header)
    return isObject(metadata) ? (metadata.sandbox ?? null) : null
  }

  /** What the last request held behind the context. */
  get lastInput(): Json {
    const input = this.server.modelRequests.at(-1)?.body.input
    const items = Array.isArray(input) ? input.filter(isObject) : []
    return items.filter((item) => !isContext(item))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
  }
}

async function openScratch(model: Model): Promise<Scratch> {
  const scratch = await Scratch.create()
  await scratch.useModelServer(model.server.baseUrl)
  const limits = 'exclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n'
  await appendFile(join(scratch.home, 'config.toml'), `\n[sandbox_workspace_write]\n${limits}`)
  await mkdir(join(scratch.home, 'rules'))
  await writeFile(join(scratch.home, 'rules', 'a.rules'), RULES)
  mkdirSync(join(scratch.root, 'tmp'))
  return scratch
}

/** What a scenario has left beyond the project would change the next one. */
function emptyOutside(scratch: Scratch): void {
  const folder = join(scratch.root, 'outside')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
}

/** Real Codex makes no sandbox out of a home in the folder for temporary files. */
function environmentOf(scratch: Scratch): { [name: string]: string } {
  return { ...scratch.env, TMPDIR: join(scratch.root, 'tmp') }
}

async function outcomeOf(
  scratch: Scratch,
  model: Model,
  threadId: string,
  seen: { readonly statuses: readonly Json[]; readonly questions: readonly JsonObject[] },
): Promise<Outcome> {
  const normaliser = new Normaliser(scratch)
  const normalise = (value: Json) =>
    JSON.parse(
      JSON.stringify(normaliser.value(value)).replaceAll(/after [\d.]+s/g, 'after <s>'),
    ) as Json
  const rollout = (await scratch.rollouts()).find(({ path }) => path.includes(threadId))
  const lines = (rollout?.lines ?? []).flatMap((line) => {
    const payload = objectAt(line, 'payload') ?? {}
    const isTold = line.type === 'response_item' || payload.type === 'patch_apply_end'
    return isTold && !isContext(payload) ? [payload] : []
  })
  const questions = [...seen.questions].sort((a, b) => idOf(a).localeCompare(idOf(b)))
  return {
    status: [...seen.statuses],
    questions: normalise(questions),
    history: normalise(lines),
    requested: normalise(model.lastInput),
  }
}

function idOf(question: JsonObject): string {
  return stringAt(question, 'itemId') ?? ''
}

const ASKED = ['itemId', 'command', 'cwd', 'reason', 'proposedExecpolicyAmendment'] as const

function question(kind: 'command' | 'patch', params: JsonObject): JsonObject {
  const entries = ASKED.map((name) => [name, params[name] ?? null])
  return { kind, ...Object.fromEntries(entries) }
}

class Codex implements Program {
  readonly scratch: Scratch
  readonly model: Model
  readonly #server: CodexAppServer

  private constructor(scratch: Scratch, model: Model, server: CodexAppServer) {
    this.scratch = scratch
    this.model = model
    this.#server = server
  }

  static async start(): Promise<Codex> {
    const model = await Model.start()
    const scratch = await openScratch(model)
    const place = { project: scratch.project, env: environmentOf(scratch) }
    return new Codex(scratch, model, await CodexAppServer.start(codex133, place))
  }

  async play({ policy, sandbox, turns, decisions = [] }: Scenario): Promise<Outcome> {
    emptyOutside(this.scratch)
    const cwd = this.scratch.project
    const start = { cwd, approvalPolicy: policy, sandbox }
    const { thread } = await this.#server.request('thread/start', start)
    const threadId = (isObject(thread) && stringAt(thread, 'id')) || ''
    const questions: JsonObject[] = []
    const left = [...decisions]
    this.#server.onRequest = ({ method, params }) => {
      const kind = method === 'item/fileChange/requestApproval' ? 'patch' : 'command'
      questions.push(question(kind, params))
      return { decision: (left.shift() ?? 'decline') as Json }
    }
    const statuses: Json[] = []
    for (const items of turns) {
      this.model.say(items)
      statuses.push((await this.#server.runTurn(threadId, 'go')).status ?? null)
    }
    return outcomeOf(this.scratch, this.model, threadId, { statuses, questions })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close()
    await this.model[Symbol.asyncDispose]()
    await this.scratch[Symbol.asyncDispose]()
  }
}

class Bobbin implements Program {
  readonly scratch: Scratch
  readonly model: Model
  readonly #owned: AsyncDisposableStack
  readonly #manager: ReturnType<typeof composeManager>
  readonly #config: ReturnType<typeof loadConfig>

  private constructor(scratch: Scratch, model: Model) {
    const environment = { ...environmentOf(scratch), BOBBIN_HOME: scratch.home }
    this.scratch = scratch
    this.model = model
    this.#owned = new AsyncDisposableStack()
    this.#config = loadConfig({ home: scratch.home, environment, overrides: [] })
    const store = this.#owned.use(openStore(scratch.home, 'conformance'))
    const origin = { originator: 'conformance', source: 'vscode' }
    const config = this.#config
    this.#manager = this.#owned.use(
      composeManager({ config, environment, store, origin, isEphemeral: false }),
    )
  }

  static async start(): Promise<Bobbin> {
    const model = await Model.start()
    return new Bobbin(await openScratch(model), model)
  }

  async play({ policy, sandbox, turns, decisions = [] }: Scenario): Promise<Outcome> {
    emptyOutside(this.scratch)
    const { model = '', modelProvider, sandboxPolicies } = this.#config
    const settings = {
      cwd: this.scratch.project,
      model,
      modelProvider,
      approvalPolicy: policy,
      sandboxPolicy: sandboxPolicies(sandbox, []),
    }
    const handle = await this.#manager.start({ settings })
    const questions: JsonObject[] = []
    const left = [...decisions]
    const answer = (kind: 'command' | 'patch') => async (params: object) => {
      questions.push(question(kind, params as JsonObject))
      return (left.shift() ?? 'decline') as never
    }
    using _client = handle.answerRequests({
      commandApproval: answer('command'),
      patchApproval: answer('patch'),
    })
    const statuses: Json[] = []
    for (const items of turns) {
      this.model.say(items)
      statuses.push((await runTurn(handle, 'go')).status)
    }
    const threadId: ThreadId = handle.threadId
    await handle.close()
    return outcomeOf(this.scratch, this.model, threadId, { statuses, questions })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]()
    await this.model[Symbol.asyncDispose]()
    await this.scratch[Symbol.asyncDispose]()
  }
}

/** Without what only one side has, on purpose. */
function shared(outcome: Outcome, isCancelled: boolean): Outcome {
  const lines = Array.isArray(outcome.history) ? outcome.history.filter(isObject) : []
  const kept = lines.filter((line) => !isCancelled || !DIFFERENCES.cancelledPatch(line))
  return { ...outcome, history: [...kept.filter(isItem), ...kept.filter((line) => !isItem(line))] }
}

for (const [name, scenarios, skip] of [
  ['approvals', OPEN, false],
  ['approvals and the sandbox', CONFINED, here.isThere ? false : `no sandbox: ${here.reason}`],
] as const) {
  describe(name, { skip }, () => {
    let codex: Codex
    let bobbin: Bobbin
    before(async () => {
      codex = await Codex.start()
      bobbin = await Bobbin.start()
    })
    after(async () => {
      await codex[Symbol.asyncDispose]()
      await bobbin[Symbol.asyncDispose]()
    })

    for (const [scenario, given] of Object.entries(scenarios)) {
      it(`${scenario} (${describePolicy(given)})`, async (context) => {
        const { status = 'completed', isTimed = false } = given
        const isCancelled = status === 'interrupted'
        const ours = shared(await bobbin.play(given), isCancelled)
        let theirs = shared(await codex.play(given), isCancelled)
        for (let left = isTimed ? ATTEMPTS : 0; left > 0; left -= 1) {
          if (isDeepStrictEqual(ours, theirs)) break
          theirs = shared(await codex.play(given), isCancelled)
        }
        if (isTimed && JSON.stringify(theirs).includes('Read-only file system')) {
          context.skip('real Codex was too slow to see what its sandbox had stopped')
          return
        }
        assert.deepEqual(ours, theirs)
        assert.deepEqual(new Set(ours.status as Json[]), new Set([status]))
      })
    }

    it('tells the model server of the same sandbox', async () => {
      for (const sandbox of scenarios === OPEN ? [full] : [full, ww, 'read-only']) {
        const scenario = { policy: 'never', sandbox, turns: one(runs('ls', 'c1')) } as Scenario
        await codex.play(scenario)
        await bobbin.play(scenario)
        const names = [sandbox, bobbin.model.sandboxName]
        assert.deepEqual(names, [sandbox, codex.model.sandboxName])
      }
    })

    it('leaves the same rules behind', async () => {
      const rules = ({ scratch }: { readonly scratch: Scratch }) =>
        readFile(join(scratch.home, 'rules', 'default.rules'), 'utf8').catch(() => null)
      assert.equal(await rules(bobbin), await rules(codex))
    })
  })
}

function describePolicy({ policy, sandbox }: Scenario): string {
  return `${typeof policy === 'string' ? policy : 'granular'}, ${sandbox}`
}
