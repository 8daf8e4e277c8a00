/**
 * Rule: what real Codex 0.133.0 says of its notifications, of its requests to clients, of its
 * results and of their members, Bobbin's schemas say too: the same members, of which those that
 * must be there are there.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { METHOD_NAMES } from '../../src/app-server/protocol/method-names.ts'
import { toldSchemas } from '../../src/app-server/protocol/told/index.ts'
import { arrayAt, isObject, type Json, type JsonObject, objectAt } from '../../src/base/index.ts'
import { runChild } from './child.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'

/** Of later versions. */
const LATER = ['thread/deleted', 'thread/reverted']
/** Members that 0.133.0 may send, and Bobbin never does. */
const NEVER_SENT = ['networkApprovalContext', 'additionalPermissions', 'elicitationId']
const NEVER = [...NEVER_SENT, 'proposedNetworkPolicyAmendments']

interface Members {
  readonly all: readonly string[]
  readonly required: readonly string[]
}

async function ofCodex(name: string): Promise<JsonObject> {
  await using scratch = await Scratch.create()
  const args = ['app-server', 'generate-json-schema', '--experimental', '--out', scratch.root]
  const { code, stderr } = await runChild(codex133, args, {
    cwd: scratch.project,
    env: scratch.env,
  })
  assert.equal(code, 0, stderr)
  return JSON.parse(await readFile(join(scratch.root, `${name}.json`), 'utf8')) as JsonObject
}

function resolved(schema: Json | undefined, whole: JsonObject): JsonObject {
  if (!isObject(schema)) return {}
  const ref = typeof schema.$ref === 'string' ? schema.$ref : undefined
  const name = ref?.slice(ref.lastIndexOf('/') + 1)
  return name === undefined ? schema : resolved(objectAt(whole, 'definitions')?.[name], whole)
}

/** Of an object, or of all forms that it may have. */
function membersOf(schema: Json | undefined, whole: JsonObject): Members {
  const own = resolved(schema, whole)
  const forms = [...(arrayAt(own, 'oneOf') ?? []), ...(arrayAt(own, 'anyOf') ?? [])]
  const parts = forms.map((form) => membersOf(form, whole))
  const all = [
    ...Object.keys(objectAt(own, 'properties') ?? {}),
    ...parts.flatMap(({ all }) => all),
  ]
  const [first, ...rest] = parts
  const inAll = first?.required.filter((name) => rest.every((each) => each.required.includes(name)))
  const required = [...(arrayAt(own, 'required') ?? []).map(String), ...(inAll ?? [])]
  return { all: [...new Set(all)].sort(), required: [...required].sort() }
}

/** By method. */
function paramsOf(whole: JsonObject): Map<string, Members> {
  const forms = [...(arrayAt(whole, 'oneOf') ?? []), ...(arrayAt(whole, 'anyOf') ?? [])]
  return new Map(
    forms.filter(isObject).map((form) => {
      const properties = objectAt(form, 'properties') ?? {}
      const method = resolved(properties.method, whole)
      const name = String(method.const ?? arrayAt(method, 'enum')?.[0])
      return [name, membersOf(properties.params, whole)]
    }),
  )
}

describe('the schemas of what is sent', () => {
  for (const title of ['ServerNotification', 'ServerRequest']) {
    it(`have the members of real Codex: ${title}`, { timeout: 60_000 }, async () => {
      const theirs = await ofCodex(title)
      const ours = toldSchemas()[title] ?? {}
      const expected = paramsOf(theirs)
      const got = [...paramsOf(ours)].filter(([method]) => !LATER.includes(method))
      assert.ok(got.length >= 5, `${got.length} methods`)
      for (const [method, { all, required }] of got) {
        const known = expected.get(method) ?? assert.fail(`${method}: 0.133.0 has no such method`)
        assert.deepEqual(
          all,
          known.all.filter((name) => !NEVER.includes(name)),
          method,
        )
        const missing = known.required.filter((name) => !required.includes(name))
        assert.deepEqual(
          missing.filter((name) => all.includes(name)),
          [],
          method,
        )
      }
      for (const name of ['Thread', 'Turn', 'TurnError', 'ThreadTokenUsage', 'ThreadGoal']) {
        const own = objectAt(ours, 'definitions')?.[name]
        if (own === undefined) continue
        const { all } = membersOf(own, ours)
        assert.deepEqual(all, membersOf(objectAt(theirs, 'definitions')?.[name], theirs).all, name)
      }
    })
  }
})

/** What results are called where it does not follow from the method. */
const RESULT_NAMES: { readonly [method: string]: string } = {
  'account/login/cancel': 'CancelLoginAccount',
  'account/login/start': 'LoginAccount',
  'account/logout': 'LogoutAccount',
  'account/rateLimits/read': 'GetAccountRateLimits',
  'account/read': 'GetAccount',
  'app/list': 'AppsList',
  'config/batchWrite': 'ConfigWrite',
  'config/mcpServer/reload': 'McpServerRefresh',
  'config/value/write': 'ConfigWrite',
  'mcpServer/resource/read': 'McpResourceRead',
  'mcpServerStatus/list': 'ListMcpServerStatus',
  'thread/name/set': 'ThreadSetName',
}
/** These are not in its documents. */
const UNTOLD = ['getAuthStatus', 'getConversationSummary', 'gitDiffToRemote']
/** Compared by the tests above, wherever they are. */
const COMPARED = /\/(Thread|Turn|ThreadItem|ThreadGoal|ThreadStatus|RateLimitSnapshot)$/

/** Where a result has other members, and why. */
const RESULTS_DIFFER: { readonly [line: string]: string } = {
  'account/rateLimits/read.rateLimitsByLimitId is not told by Bobbin': 'it is refused always',
  'config/read.layers[].disabledReason is not told by Bobbin': 'no layer is switched off',
  'feedback/upload.reason is not told by Codex': 'nothing is sent, and the answer says so',
  'skills/list.data[].skills[].dependencies is not told by Bobbin': 'they are not read',
}

interface Schema {
  readonly schema: Json | undefined
  readonly whole: JsonObject
}

function resultOf(whole: JsonObject, method: string): Schema {
  const words = method.split(/[/_]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  const name = `${RESULT_NAMES[method] ?? words.join('')}Response`
  const definitions = objectAt(whole, 'definitions') ?? {}
  const newer = objectAt(definitions, 'v2') ?? {}
  const schema = newer[name] ?? definitions[name]
  assert.ok(schema, `${method}: there is no ${name}`)
  return { schema, whole: { definitions: { ...definitions, ...newer } } }
}

/** What a value can be, when it is not null. */
function formsOf({ schema, whole }: Schema): JsonObject[] {
  const own = resolved(schema, whole)
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((key) => arrayAt(own, key) ?? [])
  if (parts.length > 0) return parts.flatMap((part) => formsOf({ schema: part, whole }))
  return own.type === 'null' ? [] : [own]
}

function propertiesOf(forms: readonly JsonObject[]): JsonObject {
  return Object.assign({}, ...forms.map((form) => objectAt(form, 'properties') ?? {}))
}

/** Each difference as a line; what Bobbin leaves open is not gone into. */
function* differences(place: string, ours: Schema, theirs: Schema): Generator<string> {
  const ref = isObject(ours.schema) ? ours.schema.$ref : undefined
  if (typeof ref === 'string' && COMPARED.test(ref)) return
  const [mine, yours] = [formsOf(ours), formsOf(theirs)]
  const [own, other] = [propertiesOf(mine), propertiesOf(yours)]
  const inner = function* (name: string, part: Json | undefined, theirPart: Json | undefined) {
    const theirSchema = { schema: theirPart, whole: theirs.whole }
    yield* differences(`${place}${name}`, { schema: part, whole: ours.whole }, theirSchema)
  }
  for (const [name, part] of Object.entries(own)) {
    if (other[name] === undefined) yield `${place}.${name} is not told by Codex`
    else yield* inner(`.${name}`, part, other[name])
  }
  // Of forms that exclude each other Bobbin may have fewer.
  const [form, ...others] = yours
  if (form && others.length === 0 && Object.keys(own).length > 0) {
    const required = mine.flatMap((each) => arrayAt(each, 'required') ?? [])
    for (const name of Object.keys(other)) {
      if (own[name] === undefined) yield `${place}.${name} is not told by Bobbin`
      else if (arrayAt(form, 'required')?.includes(name) && !required.includes(name)) {
        yield `${place}.${name} may be missing`
      }
    }
  }
  for (const key of ['items', 'additionalProperties']) {
    const [part, theirPart] = [mine, yours].map((all) => all.find((each) => isObject(each[key])))
    if (part && theirPart && part.maxItems !== 0) yield* inner('[]', part[key], theirPart[key])
  }
}

describe('the schemas of results', () => {
  it('have the members of real Codex', { timeout: 60_000 }, async () => {
    const theirs = await ofCodex('codex_app_server_protocol.schemas')
    const ours = toldSchemas().MethodResults ?? {}
    const results = Object.entries(objectAt(ours, 'properties') ?? {})
    const known = results.filter(([method]) => METHOD_NAMES.some((name) => name === method))
    const told = known.filter(([method]) => !UNTOLD.includes(method))
    assert.ok(told.length > 75, `${told.length} methods`)
    const lines = told.flatMap(([method, schema]) => {
      return [...differences(method, { schema, whole: ours }, resultOf(theirs, method))]
    })
    assert.deepEqual(lines.sort(), Object.keys(RESULTS_DIFFER))
  })
})
