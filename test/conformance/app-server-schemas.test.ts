/**
 * Rule: what real Codex 0.133.0 says of its notifications, of its requests to clients and of their
 * members, Bobbin's schemas say too: the same members, of which those that must be there are there.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
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
