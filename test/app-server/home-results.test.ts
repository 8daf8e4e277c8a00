/** Rule: what is answered about a home is as the schemas say that clients are given. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import type { HOME_RESULTS } from '../../src/app-server/protocol/told/home-results.ts'
import { arrayAt, isObject, type Json, type JsonObject, objectAt } from '../../src/base/index.ts'
import { AppServerKit, KIT_CONFIG } from '../support/app-server-kit.ts'
import { resultFault } from '../support/told-schemas.ts'

const SERVER = join(import.meta.dirname, '..', 'support', 'mcp', 'stdio-server.ts')
const CONFIG = `${KIT_CONFIG.replace('model_provider = "mock"', 'model_provider = "openai"')}
[features]
memories = true

[mcp_servers.fake]
command = ${JSON.stringify(process.execPath)}
args = [${JSON.stringify(SERVER)}]
`
const SKILLS: { readonly [path: string]: string } = {
  'look/SKILL.md': '---\nname: look\ndescription: Looks.\n---\n',
  'look/agents/openai.yaml': 'interface:\n  display_name: Look\n',
  'broken/SKILL.md': 'nothing\n',
}

/** In this order; the params of each call. */
const ASKED: { readonly [method in keyof typeof HOME_RESULTS]: readonly JsonObject[] } = {
  'account/login/start': [{ type: 'apiKey', apiKey: 'sk-1' }],
  'account/login/cancel': [{ loginId: '0190a000-0000-7000-8000-000000000000' }],
  'account/read': [{}],
  getAuthStatus: [{}, { includeToken: true }],
  'model/list': [{}, { limit: 1, includeHidden: true }],
  'modelProvider/capabilities/read': [{}],
  'hooks/list': [{}],
  'plugin/list': [{}],
  'plugin/installed': [{}],
  'app/list': [{}],
  'experimentalFeature/enablement/set': [{ enablement: { mentions_v2: true } }],
  'experimentalFeature/list': [{}, { limit: 1 }],
  'collaborationMode/list': [{}],
  'permissionProfile/list': [{}, { limit: 1 }],
  'remoteControl/status/read': [{}],
  'windowsSandbox/readiness': [{}],
  'mcpServerStatus/list': [{}, { detail: 'toolsAndAuthOnly' }],
  'skills/list': [{}],
  'config/read': [{}, { includeLayers: true }],
  'configRequirements/read': [{}],
  'feedback/upload': [{ classification: 'bug', includeLogs: false }],
}

async function openHome(): Promise<AppServerKit> {
  const kit = await AppServerKit.open([], { config: CONFIG })
  for (const [name, text] of Object.entries(SKILLS)) {
    const path = join(kit.home, 'skills', name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
  }
  return kit
}

it('each answer about a home is as its schema says', async () => {
  await using kit = await openHome()
  const last: { [method: string]: JsonObject } = {}
  for (const [method, calls] of Object.entries(ASKED)) {
    for (const params of calls) last[method] = await kit.client.request(method, params)
  }
  kit.client.checkSent()
  // Nothing is checked of what is not there.
  const [folder] = arrayAt(last['skills/list'] ?? {}, 'data') ?? []
  assert.ok(isObject(folder))
  assert.deepEqual([folder.skills, folder.errors].map(countOf), [1, 1])
  const [server] = arrayAt(last['mcpServerStatus/list'] ?? {}, 'data') ?? []
  assert.ok(isObject(server) && countOf(objectAt(server, 'tools') ?? {}) > 0)
  assert.deepEqual(last['account/read']?.account, { type: 'apiKey' })
  assert.ok(countOf(last['config/read']?.layers ?? []) > 0)
})

it('an answer that is not as its schema says is noticed, and one that has no schema', async () => {
  await using kit = await openHome()
  const { account: _, ...rest } = await kit.client.request('account/read', {})
  assert.match(resultFault('account/read', rest) ?? '', /^result of account\/read: account: /)
  assert.match(resultFault('model/list', { data: [{}], nextCursor: null }) ?? '', /data\.0\.id: /)
  assert.equal(resultFault('nosuch/list', {}), 'result of nosuch/list: there is no schema of it')
})

function countOf(value: Json | undefined): number {
  return Object.keys(value ?? {}).length
}
