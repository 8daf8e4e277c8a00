import assert from 'node:assert/strict'
import { it } from 'node:test'
import { requestedShell, shellArgv, shellEnvironment, userShell } from './shell-environment.ts'

it('a command sees the base, without colours, pagers and odd encodings', () => {
  const base = { HOME: '/home/a', TERM: 'xterm', LANG: 'de_DE', GONE: undefined }
  assert.deepEqual(shellEnvironment(base, 'thread-1'), {
    HOME: '/home/a',
    NO_COLOR: '1',
    TERM: 'dumb',
    LANG: 'C.UTF-8',
    LC_CTYPE: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    COLORTERM: '',
    PAGER: 'cat',
    GIT_PAGER: 'cat',
    GH_PAGER: 'cat',
    CODEX_CI: '1',
    CODEX_THREAD_ID: 'thread-1',
  })
})

it("the user's shell is $SHELL when it is one that we know", () => {
  const bash = { path: '/bin/bash', name: 'bash' }
  assert.deepEqual(userShell({ SHELL: '/bin/sh' }), { path: '/bin/sh', name: 'sh' })
  for (const SHELL of [undefined, '', 'bash', '/no/such/zsh', '/usr/bin/env', '/bin/dash']) {
    assert.deepEqual(userShell(SHELL === undefined ? {} : { SHELL }), bash)
  }
})

it('a requested shell is that one, or the system one of its name, or /bin/sh', () => {
  const paths = (names: readonly string[]) => names.map((name) => requestedShell(name).path)
  assert.deepEqual(paths(['/usr/bin/bash', 'bash', '/no/bash', './bash']), [
    '/usr/bin/bash',
    '/bin/bash',
    '/bin/bash',
    '/bin/bash',
  ])
  for (const other of ['', 'fish', '/no/such', '/usr/bin/env', 'dash', ' bash', '/bin/bash -x']) {
    assert.deepEqual(requestedShell(other), { path: '/bin/sh', name: 'sh' })
  }
})

it('a script is run as by a login shell or not', () => {
  const shell = { path: '/bin/sh', name: 'sh' }
  assert.deepEqual(shellArgv(shell, 'a b', true), ['/bin/sh', '-lc', 'a b'])
  assert.deepEqual(shellArgv(shell, 'a b', false), ['/bin/sh', '-c', 'a b'])
})
