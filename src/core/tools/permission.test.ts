import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import type { ApprovalPolicy, SandboxPolicy } from '../../protocol/index.ts'
import { commandRefusal, patchRefusal } from './permission.ts'

const POLICIES = ['untrusted', 'on-failure', 'on-request', 'never'] as const
const GRANULAR: ApprovalPolicy = { granular: { sandbox_approval: true } }
const WORKSPACE = {
  type: 'workspace-write',
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
} as const satisfies SandboxPolicy
const SANDBOXES: readonly SandboxPolicy[] = [
  { type: 'danger-full-access' },
  { type: 'external-sandbox', network_access: 'enabled' },
  WORKSPACE,
  { type: 'read-only' },
]
const COMMANDS = {
  safe: 'ls -l && cat a.txt | head',
  unknown: 'make test',
  opaque: 'echo $(rm x) > out',
  dangerous: 'rm -rf build',
}

type Verdict = 'run' | 'ask' | 'policy' | 'confine' | 'escalation'

function verdict(
  approvalPolicy: ApprovalPolicy,
  sandboxPolicy: SandboxPolicy,
  text: string,
  wantsEscalation = false,
): Verdict {
  const argvText = `/bin/sh -c '${text}'`
  const refusal = commandRefusal(
    { approvalPolicy, sandboxPolicy },
    { text, argvText, wantsEscalation },
  )
  if (refusal === undefined) return 'run'
  if (refusal === `\`${argvText}\` rejected: blocked by policy`) return 'policy'
  if (/needs approval/.test(refusal)) return 'ask'
  if (/would have to confine/.test(refusal)) return 'confine'
  if (/cannot ask for escalated permissions/.test(refusal)) return 'escalation'
  return assert.fail(refusal)
}

/** What would be asked is refused: nobody can be asked. Source: E2. */
const TABLE: readonly {
  readonly command: keyof typeof COMMANDS
  readonly isConfined: boolean
  /** untrusted, on-failure, on-request, never, granular. */
  readonly verdicts: readonly [Verdict, Verdict, Verdict, Verdict, Verdict]
}[] = [
  { command: 'safe', isConfined: false, verdicts: ['run', 'run', 'run', 'run', 'run'] },
  { command: 'safe', isConfined: true, verdicts: ['run', 'run', 'run', 'run', 'run'] },
  { command: 'unknown', isConfined: false, verdicts: ['ask', 'run', 'run', 'run', 'run'] },
  {
    command: 'unknown',
    isConfined: true,
    verdicts: ['ask', 'confine', 'confine', 'confine', 'confine'],
  },
  { command: 'opaque', isConfined: false, verdicts: ['ask', 'run', 'run', 'run', 'run'] },
  {
    command: 'opaque',
    isConfined: true,
    verdicts: ['ask', 'confine', 'confine', 'confine', 'confine'],
  },
  { command: 'dangerous', isConfined: false, verdicts: ['ask', 'ask', 'ask', 'run', 'ask'] },
  { command: 'dangerous', isConfined: true, verdicts: ['ask', 'ask', 'ask', 'policy', 'ask'] },
]

describe('whether a command may run [E2]', () => {
  for (const { command, isConfined, verdicts } of TABLE) {
    it(`a ${command} one ${isConfined ? 'in' : 'without'} a sandbox: ${verdicts}`, () => {
      const sandboxes = isConfined ? SANDBOXES.slice(2) : SANDBOXES.slice(0, 2)
      for (const sandbox of sandboxes) {
        const given: Verdict[] = [...POLICIES, GRANULAR].map((policy) =>
          verdict(policy, sandbox, COMMANDS[command]),
        )
        assert.deepEqual([sandbox.type, ...given], [sandbox.type, ...verdicts])
      }
    })
  }

  it('one that wants out of a sandbox is refused, even a safe one', () => {
    for (const sandbox of SANDBOXES) {
      const isConfined = sandbox.type === 'workspace-write' || sandbox.type === 'read-only'
      const given: Verdict[] = [...POLICIES, GRANULAR].map((policy) =>
        verdict(policy, sandbox, COMMANDS.safe, true),
      )
      const expected = isConfined
        ? ['escalation', 'escalation', 'ask', 'escalation', 'escalation']
        : ['run', 'run', 'run', 'run', 'run']
      assert.deepEqual(given, expected)
    }
  })

  it('the refusal to escalate names the policy as 0.133.0 does', () => {
    const names = [...POLICIES, GRANULAR].map((approvalPolicy) => {
      const command = { text: 'ls', argvText: 'ls', wantsEscalation: true }
      const refusal = commandRefusal({ approvalPolicy, sandboxPolicy: WORKSPACE }, command) ?? ''
      return /^approval policy is (\w+); reject command — .* if the approval policy is \1$/.exec(
        refusal,
      )?.[1]
    })
    assert.deepEqual(names, ['UnlessTrusted', 'OnFailure', undefined, 'Never', 'Granular'])
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
  const judge = (
    paths: readonly string[],
    policy: Partial<Parameters<typeof patchRefusal>[0]> = {},
  ) =>
    patchRefusal(
      { approvalPolicy: 'never', sandboxPolicy: WORKSPACE, cwd, ...policy },
      paths.map((path) => folder.at(path)),
    )
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
      assert.equal(await at.judge([path]), undefined, path)
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
    await assert.rejects(at.judge(['project/loop']), { code: 'ELOOP' })
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
      assert.equal(await judge('project/sub/x'), undefined)
    }
  })

  it('in further roots, and from a folder that is itself reached by a link', async () => {
    await using at = await project()
    const sandboxPolicy = { ...WORKSPACE, writable_roots: [at.folder.at('extra')] }
    assert.equal(await at.judge(['extra/x'], { sandboxPolicy }), undefined)
    assert.equal(await at.judge(['outside/x'], { sandboxPolicy }), OUTSIDE)
    const alias = at.folder.at('alias')
    assert.equal(await at.judge(['alias/src/x', 'project/y'], { cwd: alias }), undefined)
    assert.equal(await at.judge(['alias/.git/x'], { cwd: alias }), OUTSIDE)
  })

  it('in the folders for temporary files, unless they are left out', async () => {
    await using at = await project()
    const sandboxPolicy = { ...WORKSPACE, exclude_slash_tmp: false }
    const judge = (policy: SandboxPolicy) =>
      patchRefusal(
        { approvalPolicy: 'never', sandboxPolicy: policy, cwd: at.folder.at('project') },
        ['/tmp/bobbin-x/y'],
      )
    assert.equal(await judge(sandboxPolicy), undefined)
    assert.equal(await judge(WORKSPACE), OUTSIDE)
  })

  it('anywhere without a sandbox, nowhere when read-only or when asking is a must', async () => {
    await using at = await project()
    const judge = (sandboxPolicy: SandboxPolicy, approvalPolicy: ApprovalPolicy = 'never') =>
      at.judge(['outside/x'], { sandboxPolicy, approvalPolicy })
    assert.equal(await judge({ type: 'danger-full-access' }), undefined)
    assert.equal(await judge({ type: 'external-sandbox', network_access: 'enabled' }), undefined)
    assert.equal(
      await judge({ type: 'read-only' }),
      'patch rejected: writing is blocked by read-only sandbox; rejected by user approval settings',
    )
    assert.match(
      (await judge({ type: 'danger-full-access' }, 'untrusted')) ?? '',
      /^patch rejected: every patch needs approval/,
    )
  })

  it('in the whole file system when that is the folder', async () => {
    await using at = await project()
    assert.equal(await at.judge(['outside/x'], { cwd: '/' }), undefined)
  })
})
