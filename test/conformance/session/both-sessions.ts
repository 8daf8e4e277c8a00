/** The scripts of a subject as tests: each into both programs, and then their traces compared. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { noteCompared } from '../methods/record.ts'
import { assertSame, comparedMethods } from './compare.ts'
import { PENDING } from './pending.ts'
import type { SessionScript, Subject } from './script.ts'
import { trace } from './trace.ts'

const LIMIT = { timeout: 60_000 }
/** What is not built is not waited for as long as what is slow. */
const PENDING_LIMIT_MS = 2000

export function describeSubject({ title, scripts }: Subject): void {
  describe(`sessions: ${title.toLowerCase()}`, () => {
    for (const script of scripts) {
      const waitsFor = PENDING[script.name]
      it(script.name, LIMIT, async (context) => {
        if (waitsFor === undefined) await compare(script)
        else await assertPending(context, script, waitsFor)
      })
    }
  })
}

async function compare(script: SessionScript): Promise<void> {
  const [codex, bobbin] = await Promise.all([trace('codex', script), trace('bobbin', script)])
  assertSame(script, codex, bobbin)
  noteCompared(comparedMethods(script, codex, bobbin))
}

/** Real Codex plays it; Bobbin does not yet, or the script has to leave the list. */
async function assertPending(context: TestContext, script: SessionScript, waitsFor: string) {
  const codex = await trace('codex', script)
  try {
    const bobbin = await trace('bobbin', script, PENDING_LIMIT_MS)
    assertSame(script, codex, bobbin)
  } catch {
    // Whatever it fails by: it is known not to be there.
    context.todo(`waits for: ${waitsFor}`)
    return
  }
  assert.fail('it is built: take it off pending.ts')
}
