import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppServerKit, KIT_CONFIG } from '../../../test/support/app-server-kit.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('account/login', () => {
  it('keeps the key for the user alone and tells every client', async () => {
    const config = KIT_CONFIG.replace('model_provider = "mock"', 'model_provider = "openai"')
    await using kit = await AppServerKit.open([], { config })
    const other = await kit.connect()
    const { client, home } = kit
    const login = { type: 'apiKey', apiKey: 'sk-secret' }
    assert.deepEqual(await client.request('account/login/start', login), { type: 'apiKey' })
    const { params } = await other.waitFor('account/updated')
    assert.deepEqual(params, { authMode: 'apikey', planType: null })
    assert.deepEqual(client.told().slice(-2), ['account/login/completed', 'account/updated'])
    const path = join(home, 'auth.json')
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), {
      auth_mode: 'apikey',
      OPENAI_API_KEY: 'sk-secret',
    })
    assert.equal(modeOf(path), 0o600)
    await client.request('account/logout')
    await other.waitFor('account/updated', ({ authMode }) => authMode === null)
    assert.deepEqual(await client.request('account/read', {}), {
      account: null,
      requiresOpenaiAuth: true,
    })
  })
})

describe('config/value/write', () => {
  const model = { keyPath: 'model', value: 'x', mergeStrategy: 'replace' }

  it('changes nothing when the file is not what the client has read', async () => {
    await using kit = await AppServerKit.open()
    const { client, home } = kit
    const { version } = await client.request('config/value/write', model)
    const next = { ...model, value: 'y', expectedVersion: version ?? '' }
    await client.request('config/value/write', next)
    assert.deepEqual(await client.refused('config/value/write', next), {
      code: -32600,
      message: 'Configuration was modified since last read. Fetch latest version and retry.',
      data: { config_write_error_code: 'configVersionConflict' },
    })
    const path = join(home, 'config.toml')
    assert.equal(readFileSync(path, 'utf8'), KIT_CONFIG.replace('gpt-5.4', 'y'))
    assert.equal(modeOf(path), 0o600)
  })

  it('refuses what could not be loaded again, with the whole batch', async () => {
    await using kit = await AppServerKit.open()
    const { client, home } = kit
    const edits = [model, { ...model, keyPath: 'approval_policy', value: 'zzz' }]
    const { code, data } = await client.refused('config/batchWrite', { edits })
    assert.deepEqual([code, data], [-32600, { config_write_error_code: 'configValidationError' }])
    assert.equal(readFileSync(join(home, 'config.toml'), 'utf8'), KIT_CONFIG)
  })
})

describe('feedback/upload', () => {
  it('keeps a report in the home, with the logs that were asked for', async () => {
    await using kit = await AppServerKit.open()
    const { client, home } = kit
    const log = join(home, 'config.toml')
    const answer = await client.request('feedback/upload', {
      classification: 'bug',
      reason: 'it broke',
      includeLogs: true,
      extraLogFiles: [log, 'relative', '/dev/null'],
      tags: { a: 'b' },
    })
    assert.match(String(answer.threadId), /^no-active-thread-[0-9a-f-]{36}$/)
    const [name = ''] = readdirSync(join(home, 'feedback'))
    const folder = join(home, 'feedback', name)
    assert.equal(answer.reason, `Nothing was sent: the report is kept in ${folder}`)
    assert.deepEqual(readdirSync(folder).sort(), ['0-config.toml', 'report.json'])
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))
    assert.deepEqual(report.logs, [
      { path: log, name: '0-config.toml' },
      { path: 'relative', error: 'the path is not absolute' },
      { path: '/dev/null', error: 'it is no regular file' },
    ])
    assert.deepEqual(
      [report.classification, report.reason, report.tags],
      ['bug', 'it broke', { a: 'b' }],
    )
  })
})

describe('what Bobbin does not have', () => {
  it('is told by name', async () => {
    await using kit = await AppServerKit.open()
    assert.deepEqual(await kit.client.refused('plugin/read', {}), {
      code: -32601,
      message: 'method not supported by Bobbin: plugin/read',
    })
    const { code } = await kit.client.refused('account/login/start', { type: 'chatgpt' })
    assert.equal(code, -32601)
  })
})
