/**
 * Rule: what `npm start` says is true. The thread that the demo leaves is in the plain list of real
 * Codex, without a configuration, and has both turns.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { describe, it } from 'node:test'

import { arrayAt, isObject, type JsonObject } from '../../src/base/index.ts'
import { runBobbin } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'

describe('the demo', () => {
  for (const { version, binary } of codexVersions) {
    it(`leaves a thread that Codex ${version} opens`, { timeout: 60_000 }, async () => {
      await using scratch = await Scratch.create()
      await mkdir(scratch.user, { recursive: true })
      const { stdout } = await runBobbin(scratch, ['demo'])
      const home = /CODEX_HOME=(\S+) codex/.exec(stdout)?.[1] ?? assert.fail(stdout)
      const env = { ...scratch.env, CODEX_HOME: home }
      await using codex = await CodexAppServer.start(binary, { project: scratch.project, env })
      const found = await codex.request('thread/list', {})
      const [thread, ...others] = (arrayAt(found, 'data') ?? []).filter(isObject)
      assert.deepEqual(others, [])
      const params = { threadId: String(thread?.id), includeTurns: true }
      const read = await codex.request('thread/read', params)
      const turns = arrayAt(read.thread as JsonObject, 'turns') ?? []
      assert.equal(turns.length, 2)
    })
  }
})
