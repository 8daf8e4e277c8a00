import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, describe, it } from 'node:test'
import { TempFolder } from '../../../../test/support/temp-folder.ts'
import { TestClock } from '../../../../test/support/test-clock.ts'
import { CommandRunner } from '../command-runner.ts'
import { findSandbox } from './find-sandbox.ts'
import { type ConfiningPolicy, SandboxError, sandboxName } from './sandbox.ts'
import { SandboxFinder } from './sandbox-finder.ts'

const found = await findSandbox({ searchPath: process.env.PATH })
after(() => found[Symbol.dispose]())
const skip = found.isThere ? false : `no sandbox here: ${found.reason}`

const BARE = {
  type: 'workspace-write',
  network_access: false,
  exclude_tmpdir_env_var: true,
  exclude_slash_tmp: true,
} as const satisfies ConfiningPolicy

interface Given {
  readonly policy?: ConfiningPolicy
  /** Where the command runs; the policy is about the project. */
  readonly cwd?: string
  readonly isTty?: boolean
  readonly signal?: AbortSignal
  readonly onOutput?: (text: string) => void
}

/** A project beside a folder that is none of its business. */
async function open() {
  assert.ok(found.isThere)
  const { sandbox } = found
  const folder = await TempFolder.create()
  const project = folder.at('project')
  await mkdir(project)
  await mkdir(folder.at('outside'))
  const clock = new TestClock()
  const runner = new CommandRunner({ PATH: process.env.PATH }, 'thread', clock)
  const start = (script: string, { policy = BARE, cwd = project, ...given }: Given = {}) =>
    runner.start({
      command: ['/bin/sh', '-c', script],
      cwd,
      isTty: false,
      ...given,
      box: { sandbox, policy, cwd: project },
      onEnd: async () => undefined,
    })
  /** What it printed, and its exit code behind it when that is not 0. */
  const run = async (script: string, given: Given = {}) => {
    const { output, exitCode } = await start(script, given)
    return exitCode === 0 ? output : `${output}${exitCode}`
  }
  return {
    folder,
    project,
    clock,
    runner,
    start,
    run,
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('a command in the sandbox', { skip }, () => {
  it('writes in the project, and nowhere else', async () => {
    await using at = await open()
    const outside = at.folder.at('outside', 'x')
    assert.equal(await at.run(`echo in > a; echo out 2>/dev/null > ${outside}; cat a`), 'in\n')
    assert.ok(existsSync(at.folder.at('project', 'a')) && !existsSync(outside))
    assert.equal(await at.run(`rm -r ${at.folder.at('outside')} 2>/dev/null`), '1')
    assert.equal(await at.run(`chmod 700 ${at.folder.at('outside')} 2>/dev/null`), '1')
  })

  it('writes nowhere under read-only, but to devices', async () => {
    await using at = await open()
    const policy = { type: 'read-only' } as const
    assert.match(await at.run('echo x > a', { policy }), /Read-only file system\n[12]$/)
    assert.equal(await at.run('echo x > /dev/null && cat /dev/null', { policy }), '')
  })

  it('writes in further roots, and in those for temporary files as the policy says', async () => {
    await using at = await open()
    const outside = at.folder.at('outside')
    const missing = at.folder.at('missing')
    const roots = { ...BARE, writable_roots: [outside, missing] }
    assert.equal(await at.run(`touch ${outside}/x`, { policy: roots }), '')
    assert.equal(await at.run(`mkdir ${missing} 2>/dev/null`, { policy: roots }), '1')
    const temporary = `f=$(mktemp /tmp/bobbin-XXXXXX 2>/dev/null) && rm $f`
    assert.equal(await at.run(temporary, { policy: { ...BARE, exclude_slash_tmp: false } }), '')
  })

  it('is not led out by links, neither in the project nor as the project', async () => {
    await using at = await open()
    await symlink(at.folder.at('outside'), at.folder.at('project', 'way-out'))
    assert.equal(await at.run('touch way-out/x 2>/dev/null'), '1')
    await symlink(at.project, at.folder.at('alias'))
    const roots = { ...BARE, writable_roots: [at.folder.at('alias')] }
    assert.equal(await at.run('ln -s ../outside further; touch further/x 2>/dev/null'), '1')
    assert.equal(await at.run('touch ok', { policy: roots }), '')
  })

  it('cannot touch what steers programs, nor make it where it is missing', async () => {
    await using at = await open()
    await mkdir(at.folder.at('project', '.git', 'hooks'), { recursive: true })
    for (const script of [
      'touch .git/hooks/pre-commit',
      'mv .git away',
      'rm -rf .git/hooks',
      'mkdir .codex',
      'echo x > .codex/config.toml',
      'touch .agents/x',
      'mv .agents away',
      'umount .git',
      'mount -o remount,rw,bind / && touch ../outside/x',
    ]) {
      const [, code] = /(\d+)$/.exec(await at.run(`{ ${script}; } 2>/dev/null`)) ?? []
      assert.ok(code !== undefined && code !== '0', script)
    }
    assert.deepEqual(readdirSync(at.project, { recursive: true }).sort(), ['.git', '.git/hooks'])
    assert.deepEqual(readdirSync(at.folder.at('outside')), [])
  })

  it('cannot touch the repository that a .git file names', async () => {
    await using at = await open()
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid', ...args], {
        cwd: at.folder.at('project'),
      })
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', 'start')
    git('worktree', 'add', '-q', at.folder.at('outside', 'tree'))
    const roots = { ...BARE, writable_roots: [at.folder.at('outside', 'tree')] }
    const cwd = at.folder.at('outside', 'tree')
    const head = at.folder.at('project', '.git', 'worktrees', 'tree', 'HEAD')
    for (const script of [
      `echo x > ${head}`,
      'echo x > .git',
      'rm .git',
      'touch ../../project/.git/x',
    ]) {
      assert.match(
        await at.run(`{ ${script}; } 2>/dev/null`, { policy: roots, cwd }),
        /\d$/,
        script,
      )
    }
    assert.equal(await at.run('touch a && git status --short', { policy: roots, cwd }), '?? a\n')
  })

  it('is not run where a link stands for what steers programs', async () => {
    await using at = await open()
    await symlink(at.folder.at('outside'), at.folder.at('project', '.codex'))
    await assert.rejects(at.run('true'), (error) => {
      return error instanceof SandboxError && /\.codex is a symbolic link/.test(error.message)
    })
  })

  it('leaves no folder behind that was only made to be protected', async () => {
    await using at = await open()
    const first = at.start('until test -e go; do sleep 0.01; done; ls -A')
    const second = at.start('until test -e go; do sleep 0.01; done; mkdir .git 2>&1')
    await at.run('touch go')
    assert.equal((await first).output, '.agents\n.codex\n.git\ngo\n')
    assert.match((await second).output, /File exists/)
    assert.deepEqual(readdirSync(at.project), ['go'])
  })

  it('reaches no network, nor sockets by their path, and is told so', async () => {
    await using at = await open()
    const path = at.folder.at('outside', 'socket')
    const server = createServer((socket) => socket.end('reached'))
    await new Promise<void>((done) => server.listen(path, done))
    const tell = 'process.stdout.write'
    const connect = `require('net').connect('${path}').on('data', (d) => ${tell}(String(d)))
      .on('error', (e) => ${tell}(e.code))`
    const script = `${process.execPath} -e "${connect.replaceAll('\n', ' ')}"`
    assert.match(await at.run(script), /EPERM|EACCES/)
    const online = { ...BARE, network_access: true }
    assert.match(await at.run(script, { policy: online }), /reached/)
    const told = 'echo "<$CODEX_SANDBOX_NETWORK_DISABLED>"; ls /sys/class/net | wc -l'
    assert.match(await at.run(told), /^<1>/)
    assert.match(await at.run(told, { policy: online }), /^<>/)
    await new Promise((done) => server.close(done))
  })

  it('sees no process but its own, and has no capability', async () => {
    await using at = await open()
    assert.equal(await at.run(`kill -0 ${process.pid} 2>/dev/null`), '1')
    const caps = await at.run('grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status')
    assert.equal(caps, 'CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n')
  })

  it('says how it ended', async () => {
    await using at = await open()
    assert.equal(await at.run('exit 7'), '7')
    assert.equal(await at.run('kill -9 $$'), '137')
    assert.equal(await at.run('kill -15 $$'), '143')
  })

  it('may have a terminal, and be written to', async () => {
    await using at = await open()
    const reading = at.clock.slept((ms) => ms === 10_000)
    const starting = at.start('read line; echo "got $line"; test -t 0 && echo terminal', {
      isTty: true,
    })
    await reading
    at.clock.wake()
    const { sessionId } = await starting
    const { output } = await at.runner.write({ sessionId: sessionId ?? 0, chars: 'hi\n' })
    assert.match(output, /got hi\r\nterminal\r\n$/)
  })

  it('may go on in the background, and ends with all its children', async () => {
    await using at = await open()
    const stop = new AbortController()
    // Nobody else sleeps for so long.
    const sleep = `sleep 1000${process.pid}`
    const running = at.start(`(${sleep} & ${sleep}) & ${sleep} & echo up; wait`, {
      signal: stop.signal,
      onOutput: () => stop.abort(new Error('stop')),
    })
    await assert.rejects(running, /stop/)
    await at.runner[Symbol.asyncDispose]()
    const left = readdirSync('/proc').filter((pid) => commandOf(pid).startsWith(sleep))
    assert.deepEqual(left, [])
  })
})

describe('looking for a sandbox', () => {
  it('says what is missing', async () => {
    const reason = async (where: Parameters<typeof findSandbox>[0]) => {
      using state = await findSandbox(where)
      return state.isThere ? assert.fail('there is none') : state.reason
    }
    const linux = { platform: 'linux', architecture: 'x64' } as const
    const none = 'bwrap is not installed; the package is called bubblewrap'
    assert.equal(await reason({ ...linux, searchPath: '/nowhere' }), none)
    assert.equal(await reason({ ...linux, searchPath: undefined }), none)
    const platform = 'Bobbin has no sandbox for darwin yet'
    assert.equal(await reason({ ...linux, platform: 'darwin', searchPath: '/usr/bin' }), platform)
    const architecture = 'Bobbin has no sandbox for mips yet'
    assert.equal(
      await reason({ ...linux, architecture: 'mips', searchPath: '/usr/bin' }),
      architecture,
    )
  })

  it('runs a command before it believes', async () => {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('bwrap'), '#!/bin/sh\necho "no namespaces for you" >&2\nexit 1\n')
    await chmod(folder.at('bwrap'), 0o755)
    using state = await findSandbox({ searchPath: folder.at(), platform: 'linux' })
    assert.ok(!state.isThere)
    assert.match(state.reason, /cannot build a sandbox here \(no namespaces for you\)/)
  })

  it('happens once, when it is needed first', async () => {
    let looks = 0
    const state = { isThere: false, reason: 'none', [Symbol.dispose]: () => undefined } as const
    await using finder = new SandboxFinder(async () => {
      looks += 1
      return state
    })
    assert.deepEqual([looks, finder.known], [0, undefined])
    assert.deepEqual(await Promise.all([finder.find(), finder.find()]), [state, state])
    assert.deepEqual([looks, finder.known], [1, state])
  })

  it('decides what requests are told', () => {
    const none = { isThere: false, reason: 'none' } as const
    const open = { type: 'danger-full-access' } as const
    const outer = { type: 'external-sandbox', network_access: 'enabled' } as const
    assert.deepEqual(
      [open, outer, BARE].map((policy) => sandboxName(policy, none)),
      ['none', 'external', 'none'],
    )
    if (found.isThere) assert.equal(sandboxName(BARE, found), 'seccomp')
  })
})

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    // Not a process, or one that has ended.
    return ''
  }
}
