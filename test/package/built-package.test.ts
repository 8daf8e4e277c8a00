/** What npm would publish: the built files alone, as a command and as a library. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { assistantMessage, ScriptedResponsesServer } from '../../src/core/testing/index.ts'
import { buildPackage } from './built-package.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('the built package', () => {
  let folder = ''

  before(async () => {
    folder = await buildPackage()
  })

  after(() => rm(folder, { recursive: true, force: true }))

  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
    })

  it('runs as a command', () => {
    assert.match(run('bin/bobbin.cjs', 'demo'), /Real Codex opens it too/)
    assert.equal(run('bin/bobbin.cjs', '--version'), '0.1.0\n')
  })

  it('offers its layers to importers', () => {
    const script = `
      const { ThreadManager } = await import('bobbin/core')
      const { LocalThreadStore } = await import('bobbin/thread-store')
      const { newThreadId } = await import('bobbin/protocol')
      const { threadStoreContract } = await import('bobbin/thread-store/testing')
      const { ScriptedModel, ScriptedResponsesServer } = await import('bobbin/testing')
      const testing = [threadStoreContract, ScriptedModel, ScriptedResponsesServer]
      const offered = [ThreadManager, LocalThreadStore, ...testing, newThreadId()]
      process.stdout.write(offered.map((each) => typeof each).join(' '))`
    const answer = run('--input-type=module', '-e', script)
    assert.equal(answer, 'function function function function function string')
  })

  it('makes the index, whose SQL travels with it', async () => {
    await mkdir(join(folder, '.codex'))
    const args = ['bin/bobbin.cjs', 'threads', 'list', '--json']
    assert.deepEqual(JSON.parse(run(...args)).threads, [])
    assert.ok((await stat(join(folder, '.codex', 'bobbin_1.sqlite'))).size > 0)
  })

  it('serves', () => {
    const params = { clientInfo: { name: 'importer', version: '1' } }
    const answer = execFileSync(process.execPath, ['bin/bobbin.cjs', 'app-server'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder },
      input: `${JSON.stringify({ id: 1, method: 'initialize', params })}\n`,
    })
    assert.equal(JSON.parse(answer).result.codexHome, join(folder, '.codex'))
  })

  it('runs the example of the README, as it is but for the model', async () => {
    await using model = await ScriptedResponsesServer.start([
      { items: [assistantMessage('Two files.')], deltas: 3 },
    ])
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    const example = /## As a library\n\n```ts\n([^`]*`[^`]*`[^`]*)```/.exec(readme)?.[1] ?? ''
    assert.match(example, /thread\.run/)
    const script = example.replace('https://api.openai.com/v1', model.baseUrl)
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, OPENAI_API_KEY: 'k' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const printed = await text(child.stdout)
    assert.equal(printed, 'Two files.')
    const { headers = {} } = model.modelRequests[0] ?? {}
    assert.equal(headers.authorization, 'Bearer k')
    assert.match(String(headers['user-agent']), /^bobbin\/0\.1\.0 /)
    assert.ok((await stat(join(folder, '.codex', 'sessions'))).isDirectory())
  })
})
