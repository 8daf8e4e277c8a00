import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ConfigError } from './errors.ts'
import { type Config, type LoadConfig, loadConfig } from './load-config.ts'
import { requireProvider, requireToken } from './providers.ts'

const homes: string[] = []
after(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

function homeWith(toml: string): string {
  const home = mkdtempSync(join(tmpdir(), 'bobbin-config-'))
  homes.push(home)
  writeFileSync(join(home, 'config.toml'), toml)
  return home
}

function load(toml: string, params: Partial<LoadConfig> = {}): Config {
  return loadConfig({ home: homeWith(toml), environment: {}, overrides: [], ...params })
}

function tokenOf(config: Config, environment: NodeJS.ProcessEnv): string | undefined {
  const provider = requireProvider(config.providers, config.modelProvider)
  return requireToken(provider, config.home, environment)
}

function failsWith(code: ConfigError['code'], part: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof ConfigError && error.code === code && error.message.includes(part)
}

describe('the configuration', () => {
  it('has defaults for everything when there is no file', () => {
    const config = loadConfig({ home: '/nowhere', environment: {}, overrides: [] })
    const { model, modelProvider, approvalPolicy, sandboxMode, durability } = config
    assert.deepEqual(
      { model, modelProvider, approvalPolicy, sandboxMode, durability },
      {
        model: undefined,
        modelProvider: 'openai',
        approvalPolicy: undefined,
        sandboxMode: undefined,
        durability: 'turn',
      },
    )
    assert.deepEqual([...config.providers.keys()], ['openai', 'ollama', 'lmstudio'])
  })

  it('is the file, under a profile, under the overrides', () => {
    const toml = `
      model = "of-file"
      model_reasoning_effort = "low"
      model_verbosity = "high"
      profile = "work"
      [profiles.work]
      model = "of-profile"
      model_reasoning_effort = "high"`
    const config = load(toml, { overrides: ['model=of-flag'] })
    assert.deepEqual(
      [config.model, config.effort, config.verbosity, config.isModelOverridden],
      ['of-flag', 'high', 'high', true],
    )
    assert.equal(load(toml).isModelOverridden, false)
    assert.equal(load(toml, { ignoreFile: true }).model, undefined)
  })

  it('takes overrides as TOML values, or else as plain text, at any depth', () => {
    const config = load('', {
      overrides: [
        'sandbox_workspace_write.network_access=true',
        'sandbox_workspace_write.writable_roots=["/a", "/b"]',
        'model_providers.x.base_url=http://localhost:1/v1/',
        'model_providers.x.request_max_retries=7',
        "model='quoted'",
      ],
    })
    assert.deepEqual(config.sandboxPolicies('workspace-write', ['/c']), {
      type: 'workspace-write',
      writable_roots: ['/a', '/b', '/c'],
      network_access: true,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: false,
    })
    assert.deepEqual(config.sandboxPolicies('read-only', ['/c']), { type: 'read-only' })
    const provider = requireProvider(config.providers, 'x')
    assert.deepEqual([provider.baseUrl, provider.requestMaxRetries], ['http://localhost:1/v1', 7])
    assert.equal(config.model, 'quoted')
  })

  it('passes over keys that it does not know', () => {
    assert.equal(load('future = { a = [1] }\nmodel = "m"').model, 'm')
  })

  it('names the key of a value that cannot be', () => {
    for (const [toml, part] of [
      ['sandbox_mode = "open"', 'sandbox_mode must be one of read-only'],
      ['approval_policy = "always"', 'approval_policy must be one of untrusted'],
      ['model_context_window = -1', 'model_context_window must be a whole number'],
      ['[bobbin]\ndurability = "none"', 'bobbin.durability must be one of process'],
      ['[model_providers.x]\nbase_url = "not a url"', 'model_providers.x.base_url is no URL'],
      ['[model_providers.x]\nhttp_headers = { a = 1 }', 'model_providers.x.http_headers must be'],
      ['model_providers = 3', 'model_providers must be a table'],
    ] as const) {
      assert.throws(() => load(toml), failsWith('invalid_config', part), toml)
    }
  })
})

describe('a provider', () => {
  const MOCK = 'model_provider = "mock"\n[model_providers.mock]\nbase_url = "http://h/v1"\n'

  it('gets headers from the file and the environment, and retries within bounds', () => {
    const toml = `${MOCK}request_max_retries = 1000
      stream_idle_timeout_ms = 5
      query_params = { v = "1" }
      http_headers = { a = "b" }
      env_http_headers = { c = "SET", d = "UNSET" }`
    const provider = load(toml, { environment: { SET: 'x' } }).providers.get('mock')
    const { headers, queryParams, requestMaxRetries, streamMaxRetries } = provider ?? assert.fail()
    assert.deepEqual(
      { headers, queryParams: { ...queryParams }, requestMaxRetries, streamMaxRetries },
      {
        headers: { a: 'b', c: 'x' },
        queryParams: { v: '1' },
        requestMaxRetries: 100,
        streamMaxRetries: 5,
      },
    )
  })

  it('has a WebSocket only when it says so, with a handshake of bounded length', () => {
    const facts = (toml: string) => {
      const provider = load(toml).providers.get('mock') ?? assert.fail()
      return [provider.supportsWebsockets, provider.websocketConnectTimeoutMs]
    }
    assert.deepEqual(facts(MOCK), [false, 15_000])
    const more = 'supports_websockets = true\nwebsocket_connect_timeout_ms = 99999999999'
    assert.deepEqual(facts(`${MOCK}${more}`), [true, 2 ** 31 - 1])
  })

  it('without a key of its own is sent none', () => {
    assert.equal(tokenOf(load(MOCK), { OPENAI_API_KEY: 'k' }), undefined)
  })

  it('takes the key of its variable, and says which one is missing', () => {
    const config = load(`${MOCK}env_key = "MOCK_KEY"\n`)
    assert.equal(tokenOf(config, { MOCK_KEY: ' k ' }), 'k')
    assert.throws(() => tokenOf(config, { MOCK_KEY: ' ' }), failsWith('missing_key', 'MOCK_KEY'))
  })

  it('of OpenAI takes CODEX_API_KEY, then OPENAI_API_KEY, then the key of the login', () => {
    const config = load('')
    const login = { auth_mode: 'apikey', OPENAI_API_KEY: 'of-login' }
    writeFileSync(join(config.home, 'auth.json'), JSON.stringify(login))
    assert.equal(tokenOf(config, { CODEX_API_KEY: 'a', OPENAI_API_KEY: 'b' }), 'a')
    assert.equal(tokenOf(config, { OPENAI_API_KEY: 'b' }), 'b')
    assert.equal(tokenOf(config, {}), 'of-login')
    writeFileSync(join(config.home, 'auth.json'), 'not json')
    assert.throws(() => tokenOf(config, {}), failsWith('missing_key', 'OPENAI_API_KEY'))
  })

  it('that nobody has configured is named, with those there are', () => {
    const { providers } = load(MOCK)
    assert.throws(
      () => requireProvider(providers, 'nope'),
      failsWith('unknown_provider', 'unknown model provider `nope`'),
    )
  })
})
