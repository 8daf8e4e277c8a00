import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import type { ApprovalPolicy, SandboxPolicy } from '../../protocol/index.ts'
import { parseRules, type RuleSet } from './exec-policy/index.ts'
import {
  type CommandVerdict,
  decideCommand,
  decidePatch,
  looksDenied,
  patchPlaces,
  retryQuestion,
} from './permission.ts'

const POLICIES = ['untrusted', 'on-failure', 'on-request', 'never'] as const
const granularly = (off: object = {}): ApprovalPolicy => ({
  granular: { sandbox_approval: true, rules: true, ...off },
})
const WORKSPACE = {
  type: 'workspace-write',
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
} as const satisfies SandboxPolicy
const CONFINING: readonly SandboxPolicy[] = [WORKSPACE, { type: 'read-only' }]
const OPEN: readonly SandboxPolicy[] = [
  { type: 'danger-full-access' },
  { type: 'external-sandbox', network_access: 'enabled' },
]
const COMMANDS = {
  safe: 'ls -l && cat a.txt | head',
  unknown: 'ls && make test',
  opaque: 'echo $(rm x) > out',
  dangerous: 'make && rm -rf build',
}
const NO_RULES: RuleSet = { rules: [], hostExecutables: [] }
const RULES = parseRules(`
prefix_rule(pattern=["make"], decision="allow")
prefix_rule(pattern=["git", "push"], decision="prompt", justification="it is public")
prefix_rule(pattern=["npm"], decision="prompt")
prefix_rule(pattern=["git", "pull"], decision="forbidden", justification="use fetch")
prefix_rule(pattern=["curl"], decision="forbidden")
`)

interface Given {
  readonly text: string
  readonly wantsEscalation?: boolean
  readonly justification?: string
  readonly prefixRule?: readonly string[]
}

function decide(
  approvalPolicy: ApprovalPolicy,
  sandboxPolicy: SandboxPolicy,
  given: string | Given,
  surroundings: Partial<Parameters<typeof decideCommand>[2]> = {},
): CommandVerdict {
  const { text, ...rest } = typeof given === 'string' ? { text: given } : given
  return decideCommand(
    { approvalPolicy, sandboxPolicy },
    { text, argv: ['/bin/sh', '-c', text], wantsEscalation: false, ...rest },
    { rules: NO_RULES, noSandbox: undefined, ...surroundings },
  )
}

/** `in`, `out`: runs there. `ask-in`, `ask-out`: runs there once somebody has allowed it. */
function brief(verdict: CommandVerdict): string {
  if (verdict.verdict === 'run') return verdict.where === 'inside' ? 'in' : 'out'
  if (verdict.verdict === 'ask') return verdict.where === 'inside' ? 'ask-in' : 'ask-out'
  if (/blocked by policy$/.test(verdict.text)) return 'blocked'
  if (/sandbox_approval is false$/.test(verdict.text)) return 'category'
  if (/cannot ask for escalated permissions/.test(verdict.text)) return 'escalation'
  if (/cannot confine this command/.test(verdict.text)) return 'no box'
  return assert.fail(verdict.text)
}

type Row = readonly [command: keyof typeof COMMANDS, ...verdicts: string[]]

/** untrusted, on-failure, on-request, never, granular, granular without sandbox_approval. */
const ALL = [...POLICIES, granularly(), granularly({ sandbox_approval: false })]
const MATRIX: {
  readonly [where: string]: {
    readonly sandboxes: readonly SandboxPolicy[]
    readonly wantsEscalation?: boolean
    readonly noSandbox?: string
    readonly rows: readonly Row[]
  }
} = {
  'under a policy that confines': {
    sandboxes: CONFINING,
    rows: [
      ['safe', 'in', 'in', 'in', 'in', 'in', 'in'],
      ['unknown', 'ask-in', 'in', 'in', 'in', 'in', 'in'],
      ['opaque', 'ask-in', 'in', 'in', 'in', 'in', 'in'],
      ['dangerous', 'ask-in', 'ask-in', 'ask-in', 'blocked', 'ask-in', 'category'],
    ],
  },
  'under a policy that confines, where nothing can': {
    sandboxes: CONFINING,
    noSandbox: 'it is broken',
    rows: [
      ['safe', 'out', 'out', 'out', 'out', 'out', 'out'],
      ['unknown', 'ask-out', 'ask-out', 'ask-out', 'no box', 'ask-out', 'no box'],
      ['opaque', 'ask-out', 'ask-out', 'ask-out', 'no box', 'ask-out', 'no box'],
      ['dangerous', 'ask-out', 'ask-out', 'ask-out', 'blocked', 'ask-out', 'category'],
    ],
  },
  'that wants out of the sandbox': {
    sandboxes: CONFINING,
    wantsEscalation: true,
    rows: (['safe', 'unknown', 'opaque', 'dangerous'] as const).map((command): Row => {
      const refused = 'escalation'
      return [command, refused, refused, 'ask-out', refused, refused, refused]
    }),
  },
  'that wants out where there is no sandbox': {
    sandboxes: OPEN,
    wantsEscalation: true,
    rows: (['safe', 'unknown', 'opaque', 'dangerous'] as const).map((command): Row => {
      const refused = 'escalation'
      const asked = command === 'dangerous' ? 'ask-out' : 'out'
      return [command, refused, refused, asked, refused, refused, refused]
    }),
  },
  'without limits': {
    sandboxes: OPEN,
    rows: [
      ['safe', 'out', 'out', 'out', 'out', 'out', 'out'],
      ['unknown', 'ask-out', 'out', 'out', 'out', 'out', 'out'],
      ['opaque', 'ask-out', 'out', 'out', 'out', 'out', 'out'],
      ['dangerous', 'ask-out', 'ask-out', 'ask-out', 'out', 'ask-out', 'category'],
    ],
  },
}

describe('whether and where a command runs [E2]', () => {
  for (const [where, { sandboxes, wantsEscalation = false, noSandbox, rows }] of Object.entries(
    MATRIX,
  )) {
    for (const [command, ...expected] of rows) {
      it(`a ${command} one ${where}: ${expected.join(', ')}`, () => {
        for (const sandbox of sandboxes) {
          const given = { text: COMMANDS[command], wantsEscalation }
          const found = ALL.map((policy) => brief(decide(policy, sandbox, given, { noSandbox })))
          assert.deepEqual([sandbox.type, ...found], [sandbox.type, ...expected])
        }
      })
    }
  }

  it('what is asked without a sandbox names the sandbox and the way to get one', () => {
    const noSandbox = 'bwrap is not installed'
    const why = 'sandbox mode `read-only` cannot confine this command: bwrap is not installed'
    const sandbox = { type: 'read-only' } as const
    const proposedRule = ['make', 'test']
    const asked = { verdict: 'ask', where: 'outside', reason: why, proposedRule }
    const text = 'make test'
    assert.deepEqual(decide('on-request', sandbox, text, { noSandbox }), asked)
    assert.deepEqual(decide('untrusted', sandbox, text, { noSandbox }), asked)
    assert.deepEqual(decide('never', sandbox, text, { noSandbox }), {
      verdict: 'refuse',
      isBare: false,
      text:
        `${why}. Only commands known to be read-only run. ` +
        'The user can allow all commands with --sandbox danger-full-access',
    })
  })

  it('the refusal to escalate names the policy as 0.133.0 does, and is all that is said', () => {
    const names = [
      ['untrusted', 'UnlessTrusted'],
      ['on-failure', 'OnFailure'],
      ['never', 'Never'],
      [
        granularly({ rules: false }),
        'Granular(GranularApprovalConfig { sandbox_approval: true, rules: false, ' +
          'skill_approval: true, request_permissions: true, mcp_elicitations: true })',
      ],
    ] as const
    for (const [policy, name] of names) {
      const text =
        `approval policy is ${name}; reject command — you cannot ask for escalated ` +
        `permissions if the approval policy is ${name}`
      const verdict = decide(policy, WORKSPACE, { text: 'ls', wantsEscalation: true })
      assert.deepEqual(verdict, { verdict: 'refuse', text, isBare: true })
    }
  })
})

describe('rules for commands [E2.1]', () => {
  const rules = { rules: RULES }
  const refusal = (text: string) => ({ verdict: 'refuse', text, isBare: false })

  it('let a command out of the sandbox when all of it is allowed', () => {
    for (const policy of ALL) {
      assert.equal(brief(decide(policy, WORKSPACE, 'make a && make b', rules)), 'out')
    }
    assert.equal(brief(decide('never', WORKSPACE, 'make && ls', rules)), 'in')
    assert.equal(brief(decide('untrusted', WORKSPACE, 'make && ls', rules)), 'in')
    assert.equal(brief(decide('untrusted', WORKSPACE, 'make && foo', rules)), 'ask-in')
    const escalated = { text: 'make', wantsEscalation: true }
    assert.equal(brief(decide('on-request', WORKSPACE, escalated, rules)), 'out')
    assert.equal(brief(decide('never', WORKSPACE, escalated, rules)), 'escalation')
  })

  it('say nothing of a command line that cannot be taken apart', () => {
    assert.equal(brief(decide('never', WORKSPACE, 'make > out', rules)), 'in')
    assert.equal(brief(decide('never', WORKSPACE, 'echo $(git pull)', rules)), 'in')
  })

  it('ask with their reason, and offer no rule against themselves', () => {
    const sandboxes = [
      [WORKSPACE, 'inside'],
      [OPEN[0] ?? assert.fail(), 'outside'],
    ] as const
    for (const [sandbox, where] of sandboxes) {
      assert.deepEqual(decide('on-request', sandbox, 'git push && foo', rules), {
        verdict: 'ask',
        where,
        reason: "`/bin/sh -c 'git push && foo'` requires approval: it is public",
      })
    }
    assert.deepEqual(decide('untrusted', WORKSPACE, 'npm x', rules), {
      verdict: 'ask',
      where: 'inside',
      reason: "`/bin/sh -c 'npm x'` requires approval by policy",
    })
  })

  it('refuse where nobody may be asked', () => {
    assert.deepEqual(
      decide('never', WORKSPACE, 'git push', rules),
      refusal('approval required by policy, but AskForApproval is set to Never'),
    )
    assert.deepEqual(
      decide(granularly({ rules: false }), WORKSPACE, 'git push && rm -rf x', rules),
      refusal('approval required by policy rule, but AskForApproval::Granular.rules is false'),
    )
    const noSandboxes = granularly({ sandbox_approval: false })
    assert.equal(brief(decide(noSandboxes, WORKSPACE, 'git push', rules)), 'ask-in')
  })

  it('forbid, whatever else is allowed', () => {
    for (const policy of ALL) {
      for (const sandbox of [...OPEN, ...CONFINING]) {
        assert.deepEqual(
          decide(policy, sandbox, 'make && git pull', rules),
          refusal("`/bin/sh -c 'make && git pull'` rejected: use fetch"),
        )
      }
    }
    assert.deepEqual(
      decide('on-request', WORKSPACE, 'curl x; git pull', rules),
      refusal("`/bin/sh -c 'curl x; git pull'` rejected: use fetch"),
    )
    assert.deepEqual(
      decide('on-request', WORKSPACE, 'curl x', rules),
      refusal("`/bin/sh -c 'curl x'` rejected: policy forbids commands starting with `curl`"),
    )
  })
})

describe('the rule that a person is offered', () => {
  const offered = (given: string | Given, policy: ApprovalPolicy = 'untrusted') => {
    const verdict = decide(policy, WORKSPACE, given)
    return verdict.verdict === 'ask' ? verdict.proposedRule : assert.fail(verdict.verdict)
  }
  const wanting = (text: string, ...prefixRule: string[]) =>
    offered({ text, prefixRule, wantsEscalation: true }, 'on-request')

  it('has the words of the first command that needs the answer', () => {
    assert.deepEqual(offered('ls && foo 1 | bar 2'), ['foo', '1'])
    assert.deepEqual(offered('make a && rm -rf b', 'on-request'), ['rm', '-rf', 'b'])
    assert.deepEqual(offered('echo a > b'), ['/bin/sh', '-c', 'echo a > b'])
    assert.equal(offered('cat <<EOF\nx\nEOF\n'), undefined)
  })

  it('is the one that the model asks for when that covers all of the command', () => {
    assert.deepEqual(wanting('npm install x && npm run b', 'npm'), ['npm'])
    assert.deepEqual(wanting('git push origin', 'git', 'push'), ['git', 'push'])
    assert.deepEqual(wanting('npm install x', 'npm', 'run'), ['npm', 'install', 'x'])
    assert.deepEqual(wanting('npm a && yarn b', 'npm'), ['npm', 'a'])
    assert.deepEqual(wanting('ls && npm b', 'npm'), ['ls'])
    assert.deepEqual(wanting('npm a'), ['npm', 'a'])
    assert.deepEqual(wanting('npm a > b', 'npm'), ['/bin/sh', '-c', 'npm a > b'])
  })

  it('is never one that would allow everything', () => {
    for (const program of ['bash', 'python3', 'python3.11', '/usr/bin/env', 'sudo', 'git']) {
      assert.deepEqual(wanting(`${program} x`, program), [program, 'x'])
    }
    assert.deepEqual(wanting('python3 -c x', 'python3', '-c'), ['python3', '-c', 'x'])
  })

  it('comes with the reason that the model gives', () => {
    const given = { text: 'foo', wantsEscalation: true, justification: 'May I?' }
    assert.deepEqual(decide('on-request', WORKSPACE, given), {
      verdict: 'ask',
      where: 'outside',
      reason: 'May I?',
      proposedRule: ['foo'],
    })
  })
})

describe('a command that failed in the sandbox', () => {
  const facts = { text: 'foo 1', argv: ['/bin/sh', '-c', 'foo 1'], wantsEscalation: false }

  it('may be tried outside under some policies', () => {
    const question = {
      reason: 'command failed; retry without sandbox?',
      proposedRule: ['foo', '1'],
    }
    const found = ALL.map((policy) => retryQuestion(policy, facts))
    const [no] = [undefined]
    assert.deepEqual(found, [question, question, no, no, question, no])
  })

  it('looks stopped by what it says, or by how it ended', () => {
    const said = 'mkdir: cannot create directory: Read-only file system\n'
    assert.deepEqual(
      [
        looksDenied(1, said),
        looksDenied(1, 'PermissionError: [Errno 1] Operation not permitted'),
        looksDenied(126, 'sh: x: Permission denied'),
        looksDenied(159, ''),
        looksDenied(0, said),
        looksDenied(1, 'No such file or directory'),
      ],
      [true, true, true, true, false, false],
    )
  })
})

const OUTSIDE = 'patch rejected: writing outside of the project; rejected by user approval settings'

/** A project beside a secret folder, with links of every kind. */
async function project() {
  const folder = await TempFolder.create()
  const cwd = folder.at('project')
  for (const name of [
    'project/src',
    'project/.git/hooks',
    'project/sub/.git',
    'outside',
    'extra',
  ]) {
    await mkdir(folder.at(name), { recursive: true })
  }
  await writeFile(folder.at('outside', 'secret'), '')
  await symlink(folder.at('outside'), folder.at('project', 'way-out'))
  await symlink(folder.at('outside', 'secret'), folder.at('project', 'file-out'))
  await symlink(folder.at('outside', 'not-yet'), folder.at('project', 'nothing-out'))
  await symlink('../../outside/not-yet', folder.at('project', 'src', 'nothing-out'))
  await symlink(folder.at('project', '.git'), folder.at('project', 'way-in'))
  await symlink('loop', folder.at('project', 'loop'))
  await symlink('src', folder.at('project', 'inner'))
  await symlink(cwd, folder.at('alias'))
  const judge = async (
    paths: readonly string[],
    policy: Partial<Parameters<typeof decidePatch>[0]> = {},
  ) => {
    const settings = { approvalPolicy: 'never', sandboxPolicy: WORKSPACE, cwd, ...policy } as const
    const places = await patchPlaces(paths.map((path) => folder.at(path)))
    const verdict = await decidePatch(settings, places)
    return verdict.verdict === 'refuse' ? verdict.text : verdict.verdict
  }
  return { folder, judge, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

describe('whether a patch may be applied [E4]', () => {
  it('inside of the project, also in folders that are not there yet', async () => {
    await using at = await project()
    for (const path of [
      'project/a.txt',
      'project/src/deep/er/new.txt',
      'project/inner/new.txt',
      'project/.github/x.yml',
      'project/.gitignore',
    ]) {
      assert.equal(await at.judge([path]), 'apply', path)
    }
  })

  it('not outside, not one of its paths, and not through links', async () => {
    await using at = await project()
    for (const path of [
      'outside/x',
      'project2/x',
      'x',
      'project/way-out/x',
      'project/way-out/new/x',
      'project/file-out',
      'project/nothing-out',
      'project/nothing-out/x',
      'project/src/nothing-out',
    ]) {
      assert.equal(await at.judge([path]), OUTSIDE, path)
    }
    assert.equal(await at.judge(['project/a.txt', 'outside/x']), OUTSIDE)
  })

  it('not behind links that go round in circles', async () => {
    await using at = await project()
    assert.equal(await at.judge(['project/loop']), OUTSIDE)
  })

  it('not in folders that steer programs, however they are reached', async () => {
    await using at = await project()
    for (const path of [
      'project/.git',
      'project/.git/config',
      'project/.git/hooks/new/hook',
      'project/.codex/config.toml',
      'project/.agents/x',
      'project/way-in/config',
    ]) {
      assert.equal(await at.judge([path]), OUTSIDE, path)
    }
  })

  it('not in such folders of one root through another root', async () => {
    await using at = await project()
    const sub = at.folder.at('project', 'sub')
    for (const [cwd, root] of [
      [at.folder.at('project'), sub],
      [sub, at.folder.at('project')],
    ] as const) {
      const sandboxPolicy = { ...WORKSPACE, writable_roots: [root] }
      const judge = (path: string) => at.judge([path], { sandboxPolicy, cwd })
      assert.equal(await judge('project/sub/.git/config'), OUTSIDE)
      assert.equal(await judge('project/.git/config'), OUTSIDE)
      assert.equal(await judge('project/sub/x'), 'apply')
    }
  })

  it('in further roots, and from a folder that is itself reached by a link', async () => {
    await using at = await project()
    const sandboxPolicy = { ...WORKSPACE, writable_roots: [at.folder.at('extra')] }
    assert.equal(await at.judge(['extra/x'], { sandboxPolicy }), 'apply')
    assert.equal(await at.judge(['outside/x'], { sandboxPolicy }), OUTSIDE)
    const alias = at.folder.at('alias')
    assert.equal(await at.judge(['alias/src/x', 'project/y'], { cwd: alias }), 'apply')
    assert.equal(await at.judge(['alias/.git/x'], { cwd: alias }), OUTSIDE)
  })

  it('in the folders for temporary files, unless they are left out', async () => {
    await using at = await project()
    const sandboxPolicy = { ...WORKSPACE, exclude_slash_tmp: false }
    const judge = async (policy: SandboxPolicy) => {
      const cwd = at.folder.at('project')
      const settings = { approvalPolicy: 'never', sandboxPolicy: policy, cwd } as const
      return (await decidePatch(settings, ['/tmp/bobbin-x/y'])).verdict
    }
    assert.equal(await judge(sandboxPolicy), 'apply')
    assert.equal(await judge(WORKSPACE), 'refuse')
  })

  it('anywhere without a sandbox, nowhere when read-only or when asking is a must', async () => {
    await using at = await project()
    const judge = (sandboxPolicy: SandboxPolicy, approvalPolicy: ApprovalPolicy = 'never') =>
      at.judge(['outside/x'], { sandboxPolicy, approvalPolicy })
    assert.equal(await judge({ type: 'danger-full-access' }), 'apply')
    assert.equal(await judge({ type: 'external-sandbox', network_access: 'enabled' }), 'apply')
    assert.equal(
      await judge({ type: 'read-only' }),
      'patch rejected: writing is blocked by read-only sandbox; rejected by user approval settings',
    )
    assert.equal(await judge({ type: 'danger-full-access' }, 'untrusted'), 'ask')
    assert.equal(await judge({ type: 'read-only' }, 'on-request'), 'ask')
    assert.equal(
      await judge({ type: 'read-only' }, granularly({ sandbox_approval: false })),
      OUTSIDE,
    )
  })

  it('is asked for outside, where somebody may be asked', async () => {
    await using at = await project()
    for (const approvalPolicy of ['on-request', 'on-failure', granularly()] as const) {
      assert.equal(await at.judge(['outside/x'], { approvalPolicy }), 'ask')
      assert.equal(await at.judge(['project/.git/x'], { approvalPolicy }), 'ask')
      assert.equal(await at.judge(['project/x'], { approvalPolicy }), 'apply')
    }
    const approvalPolicy = granularly({ sandbox_approval: false })
    assert.equal(await at.judge(['outside/x'], { approvalPolicy }), OUTSIDE)
    assert.equal(await at.judge(['project/x'], { approvalPolicy }), 'apply')
    assert.equal(await at.judge(['project/x'], { approvalPolicy: 'untrusted' }), 'ask')
  })

  it('in the whole file system when that is the folder', async () => {
    await using at = await project()
    assert.equal(await at.judge(['outside/x'], { cwd: '/' }), 'apply')
  })
})
