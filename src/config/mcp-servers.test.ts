import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'smol-toml'
import type { JsonObject } from '../base/index.ts'
import { ConfigValues } from './config-values.ts'
import { readMcpServers } from './mcp-servers.ts'

const read = (toml: string) =>
  readMcpServers(new ConfigValues(parse(toml) as JsonObject, { name: 'config.toml' }))

const DEFAULTS = {
  isEnabled: true,
  isRequired: false,
  startupTimeoutMs: 30_000,
  toolTimeoutMs: 120_000,
  disabledTools: [],
  approvalMode: 'auto',
  toolApprovalModes: {},
}

describe('[mcp_servers]', () => {
  it('may be missing', () => {
    assert.deepEqual(read(''), [])
  })

  it('has the defaults of real Codex', () => {
    assert.deepEqual(read('[mcp_servers.a]\ncommand = "x"\n[mcp_servers.b]\nurl = "http://h/"'), [
      {
        ...DEFAULTS,
        name: 'a',
        endpoint: { kind: 'stdio', command: 'x', args: [], env: {}, envVars: [] },
      },
      {
        ...DEFAULTS,
        name: 'b',
        endpoint: { kind: 'http', url: 'http://h/', headers: {}, envHeaders: {} },
      },
    ])
  })

  it('is read whole', () => {
    const servers = read(`
      [mcp_servers.files]
      command = "files"
      args = ["--all"]
      env = { A = "1" }
      env_vars = ["B"]
      cwd = "/srv"
      enabled = false
      required = true
      startup_timeout_sec = 1.5
      tool_timeout_sec = 2
      enabled_tools = ["read"]
      disabled_tools = ["write"]
      default_tools_approval_mode = "prompt"
      [mcp_servers.files.tools.read]
      approval_mode = "approve"
      [mcp_servers.web]
      url = "https://h/mcp"
      bearer_token_env_var = "TOKEN"
      startup_timeout_ms = 1500
      http_headers = { X = "1" }
      env_http_headers = { Y = "YY" }
    `)
    assert.deepEqual(servers, [
      {
        name: 'files',
        endpoint: {
          kind: 'stdio',
          command: 'files',
          args: ['--all'],
          env: { A: '1' },
          envVars: ['B'],
          cwd: '/srv',
        },
        isEnabled: false,
        isRequired: true,
        startupTimeoutMs: 1500,
        toolTimeoutMs: 2000,
        enabledTools: ['read'],
        disabledTools: ['write'],
        approvalMode: 'prompt',
        toolApprovalModes: { read: 'approve' },
      },
      {
        ...DEFAULTS,
        name: 'web',
        endpoint: {
          kind: 'http',
          url: 'https://h/mcp',
          bearerTokenEnvVar: 'TOKEN',
          headers: { X: '1' },
          envHeaders: { Y: 'YY' },
        },
        startupTimeoutMs: 1500,
      },
    ])
  })

  for (const [toml, message] of [
    ['a = 1', 'config.toml: mcp_servers.a must be a table, but is 1'],
    ['a = {}', 'config.toml: mcp_servers.a.command is missing, and so is url'],
    ['a = {command = ""}', 'config.toml: mcp_servers.a.command is empty'],
    ['a = {url = "file:///x"}', 'config.toml: mcp_servers.a.url is no http or https URL'],
    [
      'a = {command = "x", url = "http://h"}',
      'config.toml: mcp_servers.a.url cannot be beside command: a server has one of them',
    ],
    [
      '"my srv" = {command = "x"}',
      'config.toml: mcp_servers.my srv is no name for a server: use letters, digits, - and _',
    ],
    [
      'a = {command = "x", tool_timeout_sec = 0}',
      'config.toml: mcp_servers.a.tool_timeout_sec must be a number of seconds, but is 0',
    ],
    [
      'a = {command = "x", tools = {t = {approval_mode = "y"}}}',
      'config.toml: mcp_servers.a.tools.t.approval_mode must be one of auto, prompt, approve, ' +
        'but is "y"',
    ],
  ] as const) {
    it(`complains: ${message}`, () => {
      assert.throws(() => read(`[mcp_servers]\n${toml}`), { message })
    })
  }
})
