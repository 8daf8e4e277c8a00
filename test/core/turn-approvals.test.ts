import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { after, describe, it } from 'node:test'
import { homeExecPolicy } from '../../src/config/index.ts'
import {
  assistantMessage,
  type ClientHandlers,
  customToolCall,
  findSandbox,
  functionCall,
} from '../../src/core/index.ts'
import type { CommandApproval, CommandDecision, PatchDecision } from '../../src/protocol/index.ts'
import { hangsAfter, type Step } from '../support/played-model.ts'
import { kindOf, runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const here = await findSandbox({ searchPath: process.env.PATH })
after(() => here[Symbol.dispose]())
const skip = here.isThere ? false : `no sandbox here: ${here.reason}`

const done = { items: [assistantMessage('done')] }
const none = async () =>
  ({ isThere: false, reason: 'none is wanted here', [Symbol.dispose]: () => undefined }) as const

const WORKSPACE = {
  type: 'workspace-write',
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
} as const

function runs(cmd: string, callId = 'call_1', args: object = {}) {
  return functionCall('exec_command', { cmd, login: false, ...args }, callId)
}

function adds(path: string, callId = 'call_1') {
  const input = ['*** Begin Patch', `*** Add File: ${path}`, '+new', '*** End Patch'].join('\n')
  return customToolCall('apply_patch', input, callId)
}

type Settings = NonNullable<Parameters<typeof SessionKit.open>[1]>['settings']

/** A session that asks before it runs anything unknown; without a sandbox unless told. */
async function openKit(
  steps: readonly Step[],
  settings: Settings = {},
  findBox: 'none' | 'real' = 'none',
) {
  const rules: { home?: string } = {}
  const kit: SessionKit = await SessionKit.open(steps, {
    settings: { approvalPolicy: 'untrusted', ...settings },
    manager: {
      ...(findBox === 'none' ? { findSandbox: none } : {}),
      execPolicy: {
        load: (cwd) => homeExecPolicy(rules.home ?? '/nowhere', []).load(cwd),
        append: (prefix) => homeExecPolicy(rules.home ?? '/nowhere', []).append(prefix),
      },
    },
  })
  rules.home = kit.home
  return kit
}

/** A client that answers in this order, and remembers what it was asked. */
class Person {
  readonly commands: CommandApproval[] = []
  readonly patches: string[] = []
  readonly handlers: ClientHandlers
  readonly #decisions: (CommandDecision | PatchDecision)[]

  constructor(...decisions: readonly (CommandDecision | PatchDecision)[]) {
    this.#decisions = [...decisions]
    const next = () => this.#decisions.shift() ?? assert.fail('nobody expected this question')
    this.handlers = {
      commandApproval: async (params) => {
        this.commands.push(params)
        return next()
      },
      patchApproval: async (params) => {
        this.patches.push(params.itemId)
        return next() as PatchDecision
      },
    }
  }
}

/** The outputs that the model reads, without what differs from run to run. */
function outputs(kit: SessionKit): string[] {
  const lines = kit.lines().filter((line) => kindOf(line).endsWith('call_output'))
  return lines.map((line) => {
    const { output } = line.payload as unknown as { readonly output: string }
    return /^Chunk ID/.test(output)
      ? output.replace(/^.*?exited with (code \d+).*?\nOutput:\n/s, '$1: ')
      : output
  })
}

const REJECTED = (cmd: string, why = 'rejected by user') =>
  `exec_command failed for \`/bin/sh -c '${cmd}'\`: CreateProcess { message: ` +
  `"Rejected(\\"${why}\\")" }`

/** What is told of one call, by type and status. */
function toldOf(watch: Watch, callId: string): string[] {
  return watch.events.flatMap((event) => {
    if ('item' in event && event.item.id === callId) {
      return `${event.type} ${'status' in event.item ? event.item.status : ''}`
    }
    const isAsked = event.type === 'requestOpened' && event.request.params
    if (isAsked && 'itemId' in isAsked) return isAsked.itemId === callId ? event.type : []
    return event.type === 'requestResolved' ? event.type : []
  })
}

describe('a command that needs approval [E5]', () => {
  it('is shown, asked for, and run when it is accepted', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.deepEqual(person.commands, [
      {
        itemId: 'call_1',
        startedAtMs: kit.clock.now,
        command: "/bin/sh -c 'touch a1'",
        cwd: kit.project,
        commandActions: [{ type: 'unknown', command: 'touch a1' }],
        proposedExecpolicyAmendment: ['touch', 'a1'],
      },
    ])
    assert.deepEqual(toldOf(watch, 'call_1'), [
      'itemStarted inProgress',
      'requestOpened',
      'requestResolved',
      'itemCompleted completed',
    ])
    assert.ok(existsSync(kit.at('project', 'a1')))
    assert.deepEqual(outputs(kit), ['code 0: '])
  })

  it('is declined for the model too, and the turn goes on', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    const handle = await kit.start()
    using _client = handle.answerRequests(new Person('decline').handlers)
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.deepEqual(toldOf(watch, 'call_1'), [
      'itemStarted inProgress',
      'requestOpened',
      'requestResolved',
      'itemCompleted declined',
    ])
    assert.ok(!existsSync(kit.at('project', 'a1')))
    assert.deepEqual(outputs(kit), [REJECTED('touch a1')])
  })

  it('is declined when the client cannot answer', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    const handle = await kit.start()
    const commandApproval = () => Promise.reject(new Error('out to lunch'))
    using _client = handle.answerRequests({ commandApproval })
    await runTurn(handle, 'go')
    assert.deepEqual(outputs(kit), [REJECTED('touch a1')])
  })

  it('is declined when the answer makes no sense', async () => {
    for (const decision of ['perhaps', { applyNetworkPolicyAmendment: {} }]) {
      await using kit = await openKit([{ items: [runs('touch a1')] }, done])
      const handle = await kit.start()
      using _client = handle.answerRequests(new Person(decision as never).handlers)
      await runTurn(handle, 'go')
      assert.deepEqual(outputs(kit), [REJECTED('touch a1')])
    }
  })

  it('is refused where nobody can be asked, without having begun', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    const why = 'this command needs approval (policy `untrusted`), and there is nobody to ask here'
    assert.deepEqual(outputs(kit), [REJECTED('touch a1', why)])
    assert.deepEqual(toldOf(watch, 'call_1'), ['itemCompleted declined'])
  })

  it('is run again unasked when it was accepted for the session: this one, here', async () => {
    const again = (args: object = {}) => ({ items: [runs('touch a1', 'call_1', args)] })
    const steps = [again(), done, again(), done, again({ workdir: 'sub' }), done]
    const others = [again({ tty: true }), done, { items: [runs('touch a2')] }, done]
    await using kit = await openKit([...steps, ...others])
    await mkdir(kit.at('project', 'sub'))
    const handle = await kit.start()
    const person = new Person('acceptForSession', 'decline', 'decline', 'decline')
    using _client = handle.answerRequests(person.handlers)
    for (const _turn of [1, 2, 3, 4, 5]) await runTurn(handle, 'go')
    assert.deepEqual(
      person.commands.map(({ command, cwd }) => [command, cwd]),
      [
        ["/bin/sh -c 'touch a1'", kit.project],
        ["/bin/sh -c 'touch a1'", kit.at('project', 'sub')],
        ["/bin/sh -c 'touch a1'", kit.project],
        ["/bin/sh -c 'touch a2'", kit.project],
      ],
    )
    assert.deepEqual(outputs(kit).slice(0, 2), ['code 0: ', 'code 0: '])
  })

  it('ends the turn when it is cancelled, with every call that is open', async () => {
    const items = [runs('touch a1'), runs('touch a2', 'call_2'), adds('a3', 'call_3')]
    await using kit = await openKit([{ items }])
    const handle = await kit.start()
    const waiting = new Promise<never>(() => undefined)
    const asked: string[] = []
    using _client = handle.answerRequests({
      commandApproval: async ({ itemId }) => {
        asked.push(itemId)
        return itemId === 'call_2' ? 'cancel' : waiting
      },
    })
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'interrupted')
    assert.deepEqual(asked, ['call_1', 'call_2'])
    assert.deepEqual(outputs(kit), Array(3).fill('aborted by user after 0.1s'))
    const ends = watch.of('itemCompleted').slice(1)
    assert.deepEqual(ends.map(({ item }) => [item.id, 'status' in item && item.status]).sort(), [
      ['call_1', 'declined'],
      ['call_2', 'declined'],
    ])
    const opened = watch.of('requestOpened').map(({ request }) => request.id)
    const resolved = watch.of('requestResolved').map(({ requestId }) => requestId)
    assert.deepEqual(resolved.sort(), opened.sort())
    const last = ['response_item message user', 'event_msg turn_aborted']
    assert.deepEqual(kit.kinds().slice(-2), last)
  })

  it('leaves nothing behind when it is interrupted, and a late answer does nothing', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    const handle = await kit.start()
    const late = Promise.withResolvers<CommandDecision>()
    const asked = Promise.withResolvers<void>()
    using _client = handle.answerRequests({
      commandApproval: () => {
        asked.resolve()
        return late.promise
      },
    })
    using watch = new Watch(handle)
    const turn = runTurn(handle, 'go')
    await asked.promise
    await handle.interrupt()
    assert.equal((await turn).status, 'interrupted')
    late.resolve('accept')
    assert.deepEqual(toldOf(watch, 'call_1'), [
      'itemStarted inProgress',
      'requestOpened',
      'itemCompleted declined',
      'requestResolved',
    ])
    kit.model.replace(done)
    assert.equal((await runTurn(handle, 'again')).status, 'completed')
    assert.ok(!existsSync(kit.at('project', 'a1')))
  })

  it('does not hold up those beside it', async () => {
    const items = [runs('touch a1'), runs('ls', 'call_2')]
    await using kit = await openKit([{ items }, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    using _client = handle.answerRequests({
      commandApproval: async () => {
        const isOther = () => watch.of('itemCompleted').some(({ item }) => item.id === 'call_2')
        if (!isOther()) await watch.next(isOther)
        return 'accept'
      },
    })
    await runTurn(handle, 'go')
    assert.deepEqual(outputs(kit), ['code 0: ', 'code 0: '])
  })
})

describe('an approved prefix', () => {
  const amend = (...prefix: string[]): CommandDecision => ({
    acceptWithExecpolicyAmendment: { execpolicy_amendment: prefix },
  })

  it('is kept, told to the model in front of the output, and holds at once', async () => {
    const steps = [{ items: [runs('touch a1')] }, { items: [runs('touch a2', 'call_2')] }, done]
    await using kit = await openKit(steps)
    const handle = await kit.start()
    const person = new Person(amend('touch'))
    using _client = handle.answerRequests(person.handlers)
    await runTurn(handle, 'go')
    const path = kit.at('home', 'rules', 'default.rules')
    assert.equal(readFileSync(path, 'utf8'), 'prefix_rule(pattern=["touch"], decision="allow")\n')
    assert.equal(person.commands.length, 1)
    assert.deepEqual(outputs(kit), ['code 0: ', 'code 0: '])
    const told = {
      type: 'message',
      role: 'developer',
      content: [{ type: 'input_text', text: 'Approved command prefix saved:\n- ["touch"]' }],
    }
    const input = kit.model.requests[1]?.input.slice(-3) ?? []
    assert.deepEqual(
      input.map(({ type }) => type),
      ['function_call', 'message', 'function_call_output'],
    )
    assert.deepEqual(input[1], told)
    assert.deepEqual(kit.payloads('response_item message developer').slice(1), [told])
  })

  it('that cannot be kept is told, and the command runs', async () => {
    await using kit = await openKit([{ items: [runs('touch a1')] }, done])
    writeFileSync(kit.at('home', 'rules'), 'in the way')
    const handle = await kit.start()
    using _client = handle.answerRequests(new Person(amend('touch')).handlers)
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    assert.deepEqual(outputs(kit), ['code 0: '])
    const [warning] = watch.of('warning')
    assert.match(warning?.message ?? '', /^the approved prefix could not be saved: /)
  })
})

describe('rules of the home', () => {
  it('forbid, allow, and are told once when they are broken', async () => {
    const items = [runs('cat a'), runs('true && touch a1', 'call_2'), runs('cat b', 'call_3')]
    await using kit = await openKit([{ items }, done], { approvalPolicy: 'never' })
    await mkdir(kit.at('home', 'rules'))
    writeFileSync(
      kit.at('home', 'rules', 'a.rules'),
      'prefix_rule(pattern=["cat"], decision="forbidden", justification="use less")\n',
    )
    writeFileSync(kit.at('home', 'rules', 'b.rules'), '\nprefix_rule(patern=["x"])\n')
    const handle = await kit.start()
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    const refused = (cmd: string) => REJECTED(cmd, `\`/bin/sh -c '${cmd}'\` rejected: use less`)
    assert.deepEqual(outputs(kit), [refused('cat a'), 'code 0: ', refused('cat b')])
    const path = kit.at('home', 'rules', 'b.rules')
    assert.deepEqual(
      watch.of('warning').map(({ message }) => message),
      [`${path}:2: prefix_rule takes no \`patern\`; the file is left out`],
    )
  })
})

describe('a command without a sandbox', () => {
  it('is asked for, with what is missing, or refused where nobody may be asked', async () => {
    const settings = { approvalPolicy: 'on-request', sandboxPolicy: WORKSPACE } as const
    await using kit = await openKit([{ items: [runs('touch a1')] }, done], settings)
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    await runTurn(handle, 'go')
    const why = 'sandbox mode `workspace-write` cannot confine this command: none is wanted here'
    assert.equal(person.commands[0]?.reason, why)
    assert.deepEqual(outputs(kit), ['code 0: '])
    assert.equal(kit.model.requests[1]?.turnMetadata.sandbox, 'none')
  })
})

describe('a command in the sandbox', { skip }, () => {
  const inBox = (approvalPolicy: 'on-request' | 'on-failure' | 'never' | 'untrusted') =>
    ({ approvalPolicy, sandboxPolicy: WORKSPACE }) as const
  const outside = (kit: SessionKit) => kit.at('outside')
  const step = (
    cmd: (kit: SessionKit) => string,
    args: object = {},
  ): [Step[], (kit: SessionKit) => void] => {
    const steps: Step[] = []
    return [steps, (kit) => kit.model.replace({ items: [runs(cmd(kit), 'call_1', args)] }, done)]
  }

  it('writes in the project unasked, and not beyond', async () => {
    const [steps, script] = step((kit) => `touch a1; mkdir ${outside(kit)} 2>/dev/null`)
    await using kit = await openKit(steps, inBox('never'), 'real')
    script(kit)
    await runTurn(await kit.start(), 'go')
    assert.deepEqual(outputs(kit), ['code 1: '])
    assert.deepEqual([existsSync(kit.at('project', 'a1')), existsSync(outside(kit))], [true, false])
    assert.equal(kit.model.requests[1]?.turnMetadata.sandbox, 'seccomp')
  })

  it('leaves it with an approval', async () => {
    const [steps, script] = step((kit) => `mkdir ${outside(kit)}`, {
      sandbox_permissions: 'require_escalated',
      justification: 'May I?',
      prefix_rule: ['mkdir'],
    })
    await using kit = await openKit(steps, inBox('on-request'), 'real')
    script(kit)
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    await runTurn(handle, 'go')
    assert.deepEqual(
      person.commands.map((each) => [each.reason, each.proposedExecpolicyAmendment]),
      [['May I?', ['mkdir']]],
    )
    assert.ok(existsSync(outside(kit)))
  })

  it('that it stopped is tried outside, if somebody allows it', async () => {
    for (const [decision, output] of [
      ['accept', 'code 0: '],
      ['decline', undefined],
    ] as const) {
      const [steps, script] = step((kit) => `mkdir ${outside(kit)}`)
      await using kit = await openKit(steps, inBox('on-failure'), 'real')
      script(kit)
      const handle = await kit.start()
      const person = new Person(decision)
      using _client = handle.answerRequests(person.handlers)
      using watch = new Watch(handle)
      await runTurn(handle, 'go')
      const [asked] = person.commands
      assert.equal(asked?.reason, 'command failed; retry without sandbox?')
      assert.deepEqual(asked?.proposedExecpolicyAmendment, ['mkdir', outside(kit)])
      assert.deepEqual(outputs(kit), [output ?? REJECTED(`mkdir ${outside(kit)}`)])
      assert.equal(existsSync(outside(kit)), decision === 'accept')
      assert.deepEqual(toldOf(watch, 'call_1'), [
        'itemStarted inProgress',
        'requestOpened',
        'requestResolved',
        `itemCompleted ${decision === 'accept' ? 'completed' : 'declined'}`,
      ])
    }
  })

  it('that it stopped has simply failed where nobody can be asked', async () => {
    const [steps, script] = step((kit) => `mkdir ${outside(kit)} && echo made`)
    await using kit = await openKit(steps, inBox('on-failure'), 'real')
    script(kit)
    await runTurn(await kit.start(), 'go')
    assert.match(outputs(kit)[0] ?? '', /^code 1: mkdir: .*Read-only file system\n$/)
  })

  it('is tried outside unasked when a person has just allowed it', async () => {
    const [steps, script] = step((kit) => `mkdir ${outside(kit)}`)
    await using kit = await openKit(steps, inBox('untrusted'), 'real')
    script(kit)
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    await runTurn(handle, 'go')
    assert.equal(person.commands.length, 1)
    assert.deepEqual([outputs(kit), existsSync(outside(kit))], [['code 0: '], true])
  })

  it('ends with its turn', async () => {
    await using kit = await openKit(
      [hangsAfter(runs('echo up; sleep 1000'))],
      inBox('never'),
      'real',
    )
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    const turn = runTurn(handle, 'go')
    await up
    await handle.interrupt()
    assert.equal((await turn).status, 'interrupted')
    const last = watch.of('itemCompleted').at(-1)?.item
    assert.ok(last?.type === 'commandExecution')
    assert.deepEqual([last.status, last.aggregatedOutput], ['failed', 'up\n'])
  })
})

describe('a patch that needs approval [E5]', () => {
  it('is shown, asked for, and applied when it is accepted', async () => {
    await using kit = await openKit([{ items: [adds('n1')] }, done])
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    using watch = new Watch(handle)
    await runTurn(handle, 'go')
    assert.deepEqual(person.patches, ['call_1'])
    assert.deepEqual(toldOf(watch, 'call_1'), [
      'itemStarted inProgress',
      'requestOpened',
      'requestResolved',
      'itemCompleted completed',
    ])
    assert.equal(readFileSync(kit.at('project', 'n1'), 'utf8'), 'new\n')
  })

  it('is declined for the model too, and touches nothing', async () => {
    await using kit = await openKit([{ items: [adds('n1')] }, done])
    const handle = await kit.start()
    using _client = handle.answerRequests(new Person('decline').handlers)
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.deepEqual(toldOf(watch, 'call_1').at(-1), 'itemCompleted declined')
    assert.deepEqual(outputs(kit), ['patch rejected by user'])
    assert.ok(!existsSync(kit.at('project', 'n1')))
    assert.equal(kit.turns()[0]?.items.find(({ id }) => id === 'call_1')?.type, 'fileChange')
  })

  it('ends the turn when it is cancelled', async () => {
    await using kit = await openKit([{ items: [adds('n1')] }])
    const handle = await kit.start()
    using _client = handle.answerRequests(new Person('cancel').handlers)
    using watch = new Watch(handle)
    assert.equal((await runTurn(handle, 'go')).status, 'interrupted')
    assert.deepEqual(outputs(kit), ['aborted by user after 0.1s'])
    assert.equal(toldOf(watch, 'call_1').at(-1), 'itemCompleted declined')
  })

  it('accepted for the session, is asked for again only with another file', async () => {
    const changes = (from: string, to: string, ...more: string[]) => {
      const update = ['*** Update File: n1', '@@', `-${from}`, `+${to}`, ...more]
      const input = ['*** Begin Patch', ...update, '*** End Patch'].join('\n')
      return { items: [customToolCall('apply_patch', input, 'call_2')] }
    }
    const steps = [{ items: [adds('n1')] }, done, changes('new', 'b'), done]
    const other = changes('b', 'c', '*** Add File: n2', '+x')
    await using kit = await openKit([...steps, other, done])
    const handle = await kit.start()
    const person = new Person('acceptForSession', 'decline')
    using _client = handle.answerRequests(person.handlers)
    for (const _turn of [1, 2, 3]) await runTurn(handle, 'go')
    assert.deepEqual(person.patches, ['call_1', 'call_2'])
    assert.equal(readFileSync(kit.at('project', 'n1'), 'utf8'), 'b\n')
  })

  it('may go beyond the project when a person allows it', async () => {
    const settings = { approvalPolicy: 'on-request', sandboxPolicy: WORKSPACE } as const
    await using kit = await openKit([{ items: [adds('../n1')] }, done], settings)
    const handle = await kit.start()
    const person = new Person('accept')
    using _client = handle.answerRequests(person.handlers)
    await runTurn(handle, 'go')
    assert.deepEqual([person.patches, existsSync(kit.at('n1'))], [['call_1'], true])
  })

  it('is refused where nobody can be asked', async () => {
    const outside =
      'patch rejected: writing outside of the project; rejected by user approval settings'
    const untrusted =
      'patch rejected: every patch needs approval (policy `untrusted`), and there is nobody to ' +
      'ask here'
    for (const [approvalPolicy, output] of [
      ['untrusted', untrusted],
      ['on-request', outside],
    ] as const) {
      const settings = { approvalPolicy, sandboxPolicy: WORKSPACE }
      await using kit = await openKit([{ items: [adds('../n1')] }, done], settings)
      await runTurn(await kit.start(), text('go'))
      assert.deepEqual(outputs(kit), [output])
      assert.ok(!existsSync(kit.at('n1')))
    }
  })

  it('is not written through a link that came while it was asked for, or later', async () => {
    const settings = { sandboxPolicy: WORKSPACE }
    await using kit = await openKit([{ items: [adds('n1')] }, done], settings)
    writeFileSync(kit.at('secret'), 'secret')
    const handle = await kit.start()
    const link = () => symlinkSync(kit.at('secret'), kit.at('project', 'n1'))
    const answers: ((() => void) | undefined)[] = [link, undefined, undefined]
    let asked = 0
    using _client = handle.answerRequests({
      patchApproval: async () => {
        asked += 1
        answers.shift()?.()
        return asked < 2 ? 'acceptForSession' : 'decline'
      },
    })
    await runTurn(handle, 'go')
    rmSync(kit.at('project', 'n1'))
    kit.model.replace({ items: [adds('n1')] }, done)
    await runTurn(handle, 'go')
    rmSync(kit.at('project', 'n1'))
    link()
    kit.model.replace({ items: [adds('n1')] }, done)
    await runTurn(handle, 'go')
    const [first, second, third] = outputs(kit)
    assert.match(first ?? '', /^Exit code: 1\n.*Failed to write file .*n1\n$/s)
    assert.match(second ?? '', /Success/)
    assert.equal(third, 'patch rejected by user')
    assert.deepEqual([asked, readFileSync(kit.at('secret'), 'utf8')], [2, 'secret'])
  })

  it('keeps what somebody else wrote while it was asked for', async () => {
    const update = ['*** Begin Patch', '*** Update File: n1', '@@', '-one', '+two', '*** End Patch']
    const call = customToolCall('apply_patch', update.join('\n'), 'call_1')
    await using kit = await openKit([{ items: [call] }, done])
    writeFileSync(kit.at('project', 'n1'), 'one\n')
    const handle = await kit.start()
    using _client = handle.answerRequests({
      patchApproval: async () => {
        writeFileSync(kit.at('project', 'n1'), 'zero\none\n')
        return 'accept'
      },
    })
    await runTurn(handle, 'go')
    assert.equal(readFileSync(kit.at('project', 'n1'), 'utf8'), 'zero\ntwo\n')
  })
})
