import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SandboxPolicy } from '../../protocol/index.ts'
import { permissionProfile, permissionsText, writableRoots } from './permissions.ts'

const WORKSPACE = {
  type: 'workspace-write',
  network_access: false,
  exclude_tmpdir_env_var: false,
  exclude_slash_tmp: false,
} as const satisfies SandboxPolicy

const BARE = { ...WORKSPACE, exclude_tmpdir_env_var: true, exclude_slash_tmp: true }

describe('the folders that may be written', () => {
  it('are all without a sandbox of ours, none when read-only', () => {
    assert.equal(writableRoots({ type: 'danger-full-access' }, '/w'), undefined)
    assert.equal(
      writableRoots({ type: 'external-sandbox', network_access: 'enabled' }, '/w'),
      undefined,
    )
    assert.deepEqual(writableRoots({ type: 'read-only' }, '/w'), [])
  })

  it('are the folder, further roots and those for temporary files, each once', () => {
    const given = { ...WORKSPACE, writable_roots: ['/x', '/w', '/tmp'] }
    const { TMPDIR } = process.env
    const temporary = TMPDIR ? ['/tmp', TMPDIR] : ['/tmp']
    assert.deepEqual(writableRoots(given, '/w'), [...new Set(['/w', '/x', ...temporary])])
    assert.deepEqual(writableRoots(BARE, '/w'), ['/w'])
  })
})

describe('what the model is told of its permissions', () => {
  it('names the mode, the folders, the network and the policy', () => {
    assert.equal(
      permissionsText('never', { ...BARE, writable_roots: ['/x'], network_access: true }, '/w'),
      [
        '<permissions instructions>',
        'Sandbox mode is `workspace-write`: files may be read; only the folders named below may ' +
          'be written, without what is in their `.git`, `.agents` and `.codex`. The operating ' +
          'system enforces that.',
        'Writable: `/w`, `/x`.',
        'Network access is enabled.',
        'Approval policy is `never`.',
        'Nobody is asked: what is not allowed is refused, and the refusal says why. Leave ' +
          '`sandbox_permissions` out: a command that wants out of the sandbox is rejected.',
        'Where the machine has no working sandbox, a command that would run in it needs an ' +
          'approval, or is refused; the answer says so.',
        '</permissions instructions>',
      ].join('\n'),
    )
  })

  it('has no folders where there are none to name', () => {
    for (const sandbox of [{ type: 'read-only' }, { type: 'danger-full-access' }] as const) {
      assert.doesNotMatch(permissionsText('never', sandbox, '/w'), /Writable/)
    }
  })

  it('says of the network what the sandbox says', () => {
    const network = (sandbox: SandboxPolicy) =>
      /Network access is (\w+)/.exec(permissionsText('never', sandbox, '/w'))?.[1]
    assert.deepEqual(
      [
        network({ type: 'danger-full-access' }),
        network({ type: 'read-only' }),
        network({ type: 'read-only', network_access: true }),
        network({ type: 'external-sandbox', network_access: 'restricted' }),
        network({ type: 'external-sandbox', network_access: 'enabled' }),
        network(WORKSPACE),
      ],
      ['enabled', 'restricted', 'enabled', 'restricted', 'enabled', 'restricted'],
    )
  })

  it('is a sentence for each policy', () => {
    const policies = ['untrusted', 'on-failure', 'on-request', 'never', { granular: {} }] as const
    const texts = policies.map((policy) => permissionsText(policy, { type: 'read-only' }, '/w'))
    assert.equal(new Set(texts).size, policies.length)
    assert.match(texts[4] ?? '', /Approval policy is `granular`/)
  })

  it('teaches how to ask for more only where that is allowed', () => {
    const policies = ['untrusted', 'on-failure', 'on-request', 'never', { granular: {} }] as const
    const texts = policies.map((policy) => permissionsText(policy, { type: 'read-only' }, '/w'))
    assert.deepEqual(
      texts.map((text) => [/require_escalated/.test(text), /`justification`/.test(text)]),
      policies.map((policy) => [policy === 'on-request', policy === 'on-request']),
    )
    assert.deepEqual(
      texts.map((text) => /Leave `sandbox_permissions` out/.test(text)),
      policies.map((policy) => policy !== 'on-request'),
    )
  })

  it('says which kinds of request a granular policy refuses', () => {
    const policy = { granular: { sandbox_approval: false, rules: true } }
    const text = permissionsText(policy, { type: 'read-only' }, '/w')
    assert.match(text, /delete by force: refused without asking\n/)
    assert.match(text, /asked about: asked for\n/)
  })
})

describe('the newer form of the policy', () => {
  const path = (at: string, access: string) => ({ path: { type: 'path', path: at }, access })
  const special = (kind: string, access: string) => ({
    path: { type: 'special', value: { kind } },
    access,
  })
  const managed = (entries: readonly object[], network = 'restricted') => ({
    type: 'managed',
    file_system: { type: 'restricted', entries },
    network,
  })

  it('says the same', () => {
    assert.deepEqual(permissionProfile({ type: 'danger-full-access' }, '/w'), { type: 'disabled' })
    assert.deepEqual(
      permissionProfile({ type: 'external-sandbox', network_access: 'enabled' }, '/w'),
      { type: 'external', network: 'enabled' },
    )
    assert.deepEqual(
      permissionProfile({ type: 'read-only' }, '/w'),
      managed([special('root', 'read')]),
    )
    const roots = { ...WORKSPACE, network_access: true, writable_roots: ['/x'] }
    assert.deepEqual(
      permissionProfile(roots, '/w'),
      managed(
        [
          special('root', 'read'),
          path('/w', 'write'),
          special('slash_tmp', 'write'),
          special('tmpdir', 'write'),
          path('/w/.git', 'read'),
          path('/w/.agents', 'read'),
          path('/w/.codex', 'read'),
          path('/x', 'write'),
        ],
        'enabled',
      ),
    )
  })
})
