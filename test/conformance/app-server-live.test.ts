/**
 * Rule: the handshake, and what is asked about a thread that goes on, is answered as by real Codex
 * 0.133.0; what is asked to take turns back, or to delete a thread, as by 0.169.0.
 */
import assert from 'node:assert/strict'
import { appendFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { Sqlite } from '../support/sqlite.ts'
import { type Allowed, compareServers, type Server } from './both-servers.ts'
import { runChild } from './child.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codex133, codex169 } from './programs.ts'
import type { Scratch } from './scratch.ts'

const LIMIT = { timeout: 120_000 }
const NONE = '01a1fe00-0000-7000-8000-000000000001'

async function threadOf({ client }: Server): Promise<string> {
  const { thread } = await client.request('thread/start', {})
  return isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
}

function told({ client }: Server, method: string): Json {
  return client.notifications.filter((each) => each.method === method).map((each) => each.params)
}

const userAgent: Allowed = {
  id: 'user-agent',
  change: (answer) => {
    const result = isObject(answer) ? objectAt(answer, 'result') : undefined
    if (!result) return answer
    const words = stringAt(result, 'userAgent') ?? ''
    const [form] = /^suite\/\S+ \(.*; .*\) \S+ \(suite; 0\)$/.exec(words) ?? []
    return { ...result, userAgent: form === undefined ? words : '<form>' }
  },
}

/** Where an item has a type but lacks something else, Codex says what. */
const itemWords: Allowed = {
  id: 'item-words',
  change: (answer) => {
    return JSON.parse(JSON.stringify(answer).replace(/: missing field `role`/, '')) as Json
  },
}

/** What nobody has named follows from the project, which has this trust level, or none. */
async function judge({ home }: Scratch, level: string | undefined): Promise<void> {
  const config = join(home, 'config.toml')
  const plain = (await readFile(config, 'utf8'))
    .replace(/^(approval_policy|sandbox_mode) = .*\n/gm, '')
    .replace(/^trust_level = .*\n/m, level === undefined ? '' : `trust_level = "${level}"\n`)
  await writeFile(config, plain)
}

/** The scratch folders are temporary ones, which may be written all. */
async function excludeTemporary({ home }: Scratch): Promise<void> {
  const excluded = 'exclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n'
  await appendFile(join(home, 'config.toml'), `\n[sandbox_workspace_write]\n${excluded}`)
}

describe('a command of a client that names no policy', () => {
  const place = 'w() { { echo x > "$1/w"; } 2>&- && echo "wrote $2"; }'
  const script = `${place}; w "$1" project; w "$1/sub" sub; w "$2" other; true`
  for (const level of ['trusted', 'untrusted', undefined]) {
    it(`may do what the server's own folder lets it: ${level ?? 'not judged'}`, LIMIT, async () => {
      await compareServers({
        isConfined: true,
        prepare: async (scratch) => {
          await judge(scratch, level)
          await excludeTemporary(scratch)
          await mkdir(join(scratch.project, 'sub'))
          await mkdir(join(scratch.root, 'other'))
        },
        play: async ({ scratch: { project, root }, ask }) => {
          const other = join(root, 'other')
          const command = ['sh', '-c', script, 'sh', project, other]
          await ask('command/exec', { command })
          await ask('command/exec', { command, cwd: 'sub' })
          await ask('command/exec', { command, cwd: other })
          await ask('command/exec', { command, cwd: other, permissionProfile: ':workspace' })
          const sandboxPolicy = { type: 'workspaceWrite', excludeSlashTmp: true }
          await ask('command/exec', { command, cwd: other, sandboxPolicy })
          return null
        },
      })
    })
  }

  it('may do what the folder lets it by now, in Bobbin', LIMIT, async () => {
    const exitCodes: Json[] = []
    const noted: Allowed = {
      id: 'exec-config',
      change: (answer) => {
        exitCodes.push(objectAt(answer as JsonObject, 'result')?.exitCode ?? null)
        return null
      },
    }
    await compareServers({
      isConfined: true,
      differences: { 'command/exec': noted },
      prepare: async (scratch) => {
        await judge(scratch, undefined)
        await excludeTemporary(scratch)
      },
      play: async ({ client, scratch: { project }, ask }) => {
        const keyPath = `projects."${project}".trust_level`
        const edit = { keyPath, value: 'trusted', mergeStrategy: 'replace' }
        await client.request('config/value/write', edit)
        await ask('command/exec', { command: ['touch', 'w'] })
        return null
      },
    })
    assert.deepEqual(exitCodes, [0, 1])
  })
})

describe('a thread in a folder that a person has judged', () => {
  for (const level of ['trusted', 'untrusted']) {
    it(`has the permissions of a ${level} one`, LIMIT, async () => {
      await compareServers({
        prepare: async (scratch) => {
          await judge(scratch, level)
          const { root, project: cwd, env } = scratch
          await runChild('git', ['worktree', 'add', '-q', '-b', 'x', '../tree'], { cwd, env })
          await runChild('git', ['init', '-q', 'inner'], { cwd, env })
          await mkdir(join(cwd, 'sub'))
          await symlink(cwd, join(root, 'link'))
        },
        play: async ({ client }) => {
          const shown: Json[] = []
          const named = [{ sandbox: 'read-only' }, { approvalPolicy: 'never' }]
          const places = ['sub', '../tree', 'inner', '..', '../link', '.git'].map((cwd) => ({
            cwd,
          }))
          for (const params of [{}, ...named, ...places]) {
            const started = await client.request('thread/start', params)
            const { approvalPolicy = null, activePermissionProfile = null } = started
            const mode = objectAt(started, 'sandbox')?.type ?? null
            shown.push({ approvalPolicy, activePermissionProfile, mode })
          }
          return shown
        },
      })
    })
  }
})

describe('the handshake', () => {
  it('is answered and refused alike', LIMIT, async () => {
    const clientInfo = { name: 'suite', title: null, version: '0' }
    await compareServers({
      isBare: true,
      differences: { initialize: userAgent },
      play: async ({ ask }) => {
        await ask('thread/list')
        await ask('thread/list', { limit: 'x' })
        for (const params of [
          {},
          { clientInfo: 5 },
          { clientInfo: { name: 'a' } },
          { clientInfo: { name: 'a\nb', version: '1' } },
          { clientInfo, capabilities: 5 },
          { clientInfo, capabilities: { optOutNotificationMethods: ['x'] } },
          { clientInfo },
        ]) {
          await ask('initialize', params)
        }
        await ask('collaborationMode/list')
        return null
      },
    })
  })
})

describe('a configuration that cannot be used', () => {
  const faults: { readonly [name: string]: (config: string) => string } = {
    'no TOML': (config) => `${config}\n= 5\n`,
    'a text that is a number': (config) => config.replace(/^model = .*/, 'model = 5'),
    'a value that is none': (config) => config.replace('"never"', '"zzz"'),
    'a server without a way to reach it': (config) => `${config}\n[mcp_servers.x]\nzzz = 1\n`,
    'a provider that is none': (config) => config.replace('_provider = "mock"', '_provider = "x"'),
    'a profile that is none': (config) => `profile = "nosuch"\n${config}`,
    'a key that nobody knows': (config) => `nosuch = 1\nno.such = 2\n${config}`,
    nothing: (config) => config,
  }
  for (const [name, edit] of Object.entries(faults)) {
    it(`is told alike: ${name}`, LIMIT, async () => {
      await compareServers({
        prepare: async ({ home }) => {
          const path = join(home, 'config.toml')
          await writeFile(path, edit(await readFile(path, 'utf8')))
        },
        play: async (server) => {
          await server.client.request('thread/loaded/list', {})
          const warnings = told(server, 'configWarning') as JsonObject[]
          // What is wrong is said in words of each program's own.
          return warnings.map(({ details: _, ...rest }) => rest)
        },
      })
    })
  }
})

describe('a thread with a turn', () => {
  it('takes items, loses its background and its client alike', LIMIT, async () => {
    await compareServers({
      differences: { 'thread/inject_items': itemWords },
      play: async (server) => {
        const { ask, client } = server
        const threadId = await threadOf(server)
        await client.runTurn(threadId, 'Hello')
        const text = { type: 'input_text', text: 'By the way' }
        const item = { type: 'message', role: 'user', content: [text] }
        for (const items of [[item], [], [5], [{}], [{ type: 'message' }], 5]) {
          await ask('thread/inject_items', { threadId, items })
        }
        await ask('thread/inject_items', { threadId: NONE, items: [item] })
        for (const id of [threadId, NONE, 'x']) {
          await ask('thread/backgroundTerminals/clean', { threadId: id })
        }
        await ask('getConversationSummary', { conversationId: threadId })
        const [log] = await server.scratch.rollouts()
        await ask('getConversationSummary', { rolloutPath: log?.path ?? '' })
        await ask('thread/turns/list', { threadId })
        for (const id of [threadId, threadId, NONE, 'x']) {
          await ask('thread/unsubscribe', { threadId: id })
        }
        await ask('thread/loaded/list')
        return null
      },
    })
  })

  it('lets its model know alike that a person allows what was denied', LIMIT, async () => {
    await compareServers({
      play: async (server) => {
        const threadId = await threadOf(server)
        const approve = async (id: string, event: Json) => {
          await server.ask('thread/approveGuardianDeniedAction', { threadId: id, event })
        }
        for (const event of denials()) await approve(threadId, event)
        await approve(NONE, denials().at(-1) ?? null)
        await server.client.runTurn(threadId, 'Go on')
        const { body } = server.model.modelRequests.at(-1) ?? {}
        const input = JSON.stringify(isObject(body) ? body.input : null)
        // When it is told, and in which words, is each program's own.
        return input.split('rm denied').length - 1
      },
    })
  })

  it('is taken back and deleted alike', LIMIT, async () => {
    await compareServers({
      codex: codex169,
      differences: { 'thread/revert': newerThread, 'thread/delete': newerThread },
      play: async (server) => {
        const { ask, client } = server
        const threadId = await threadOf(server)
        const turns = [
          await client.runTurn(threadId, 'One'),
          await client.runTurn(threadId, 'Two'),
          await client.runTurn(threadId, 'Three'),
        ]
        const ids = turns.map((turn) => stringAt(turn, 'id') ?? '')
        for (const beforeTurnId of [NONE, ids[2], ids[2], ids[0]]) {
          await ask('thread/revert', { threadId, beforeTurnId: beforeTurnId ?? '' })
        }
        await ask('thread/delete', { threadId })
        await ask('thread/delete', { threadId })
        return ['thread/reverted', 'thread/deleted'].map((method) => told(server, method))
      },
    })
  })
})

/** Who and how many; its threads have members of their own. */
const newerThread: Allowed = {
  id: 'newer-items',
  change: (answer) => {
    const result = isObject(answer) ? objectAt(answer, 'result') : undefined
    const thread = objectAt(result ?? {}, 'thread')
    if (!result || !thread) return answer
    const { id, preview, turns } = thread
    return { id: id ?? null, preview: preview ?? null, turns: turns ?? null }
  },
}

function denials(): Json[] {
  const action = { type: 'command', source: 'shell', command: 'rm denied', cwd: '/tmp' }
  const event = { id: 'g', turn_id: 't', started_at_ms: 1, status: 'denied', action }
  const { action: _, ...bare } = event
  return [
    5,
    {},
    { id: 'g' },
    bare,
    { ...event, status: 'x' },
    { ...event, action: { type: 'x' } },
    { ...event, status: 'approved' },
    event,
  ]
}

describe('memories', () => {
  it('are forgotten alike, in files and rows', LIMIT, async () => {
    await compareServers({
      prepare: async (scratch) => {
        {
          await using codex = await CodexAppServer.start(codex133, scratch)
          const { thread } = await codex.request('thread/start', {})
          const id = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
          await codex.runTurn(id, 'Remember')
        }
        await remember(scratch)
      },
      play: async ({ ask, scratch }) => {
        const before = rowsOf(scratch)
        await ask('memory/reset')
        const after = rowsOf(scratch)
        const folders = ['memories', 'memories_extensions', 'kept']
        const files = await Promise.all(folders.map((name) => readdir(join(scratch.home, name))))
        await rm(join(scratch.home, 'memories'), { recursive: true })
        await symlink(join(scratch.home, 'kept'), join(scratch.home, 'memories'))
        await ask('memory/reset')
        return { before, after, files, kept: await readdir(join(scratch.home, 'kept')) }
      },
    })
  })
})

async function remember(scratch: Scratch): Promise<void> {
  const at = (...parts: string[]) => join(scratch.home, ...parts)
  await mkdir(at('memories', '.git'), { recursive: true })
  await mkdir(at('memories_extensions', 'a'), { recursive: true })
  await mkdir(at('kept'))
  await writeFile(at('memories', '.git', 'HEAD'), 'x')
  await writeFile(at('kept', 'note'), 'x')
  await symlink(at('kept'), at('memories', 'link'))
  const database = new Sqlite(at('state_5.sqlite'))
  database.exec(`
    INSERT INTO stage1_outputs
      (thread_id, source_updated_at, raw_memory, rollout_summary, generated_at)
      SELECT id, 1, 'a', 'b', 2 FROM threads;
    INSERT INTO jobs (kind, job_key, status, retry_remaining) VALUES
      ('memory_stage1', 'x', 'done', 3), ('memory_consolidate_global', 'global', 'running', 3),
      ('other', 'x', 'done', 3);
    UPDATE threads SET memory_mode = 'polluted';
  `)
  database.close()
}

function rowsOf(scratch: Scratch): Json {
  const database = new Sqlite(join(scratch.home, 'state_5.sqlite'))
  const rows = (query: string) => database.rows(query) as Json
  const found = {
    outputs: rows('SELECT raw_memory FROM stage1_outputs'),
    jobs: rows('SELECT kind, job_key, status FROM jobs ORDER BY kind'),
    modes: rows('SELECT memory_mode FROM threads'),
  }
  database.close()
  return found
}

describe('a search that goes on', () => {
  it('is told alike', LIMIT, async () => {
    await compareServers({
      prepare: async ({ project }) => writeFile(join(project, 'alpha.txt'), ''),
      play: async (server) => {
        const { ask, client } = server
        const sessionId = 's'
        const ask3 = async (name: string, params: JsonObject) => {
          await ask(`fuzzyFileSearch/session${name}`, { sessionId, ...params })
        }
        await ask3('Start', { roots: [server.scratch.project] })
        await ask3('Update', { query: 'alph' })
        await client.waitFor('fuzzyFileSearch/sessionCompleted')
        await ask3('Stop', {})
        await ask3('Update', { query: 'a' })
        const found = told(server, 'fuzzyFileSearch/sessionUpdated') as JsonObject[]
        const { files } = found.at(-1) ?? {}
        return Array.isArray(files) ? files.filter(isNotOfGit) : null
      },
    })
  })
})

/** Bobbin leaves them out: `search-git`. */
function isNotOfGit(file: Json): boolean {
  return !isObject(file) || !String(file.path).startsWith('.git/')
}

describe('a process', () => {
  it('is written to and resized alike', LIMIT, async () => {
    await compareServers({
      play: async (server) => {
        const { ask, client, scratch } = server
        const processHandle = 'h'
        const command = ['sh', '-c', 'read x; stty size; echo "got $x"']
        const size = { rows: 10, cols: 30 }
        await ask('process/spawn', {
          processHandle,
          command,
          cwd: scratch.project,
          tty: true,
          size,
        })
        await ask('process/resizePty', { processHandle, size: { rows: 11, cols: 22 } })
        const deltaBase64 = Buffer.from('words\n').toString('base64')
        await ask('process/writeStdin', { processHandle, deltaBase64 })
        await client.waitFor('process/exited')
        return told(server, 'process/exited')
      },
    })
  })
})
