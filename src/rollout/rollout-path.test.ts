import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { threadIdOf } from '../../test/support/thread-log.ts'
import { parseRolloutName, readRolloutName } from './rollout-path.ts'

const ID = threadIdOf(1)
const MODULE = new URL('./rollout-path.ts', import.meta.url).href

/** The path of a thread started at that instant, in a process of that time zone. */
function pathIn(zone: string, instant: string): string {
  const script = `
    const { rolloutPath } = await import(${JSON.stringify(MODULE)})
    process.stdout.write(rolloutPath('/home', '${ID}', Date.parse('${instant}')))`
  const env = { ...process.env, TZ: zone }
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { env }).toString()
}

describe('the path of a rollout', () => {
  const cases: readonly (readonly [zone: string, instant: string, path: string])[] = [
    ['Asia/Tokyo', '2026-11-20T09:33:36.999Z', '2026/11/20/rollout-2026-11-20T18-33-36'],
    ['Asia/Tokyo', '2026-12-31T15:00:00.000Z', '2027/01/01/rollout-2027-01-01T00-00-00'],
    ['America/New_York', '2026-03-08T07:00:01.000Z', '2026/03/08/rollout-2026-03-08T03-00-01'],
    ['Asia/Kathmandu', '2026-01-02T18:14:59.000Z', '2026/01/02/rollout-2026-01-02T23-59-59'],
  ]
  for (const [zone, instant, path] of cases) {
    it(`is of local time: ${instant} in ${zone}`, () => {
      assert.equal(pathIn(zone, instant), `/home/sessions/${path}-${ID}.jsonl`)
    })
  }
})

describe('the name of a rollout', () => {
  it('tells the start and the thread, whatever the version and the case of the id', () => {
    const stamp = '2026-11-20T18-33-36'
    const parsed = { threadId: ID, stamp, isCompressed: false }
    for (const name of [
      `rollout-${stamp}-${ID.toUpperCase()}.jsonl`,
      `rollout-${stamp}-${ID}.jsonl`,
    ]) {
      assert.deepEqual(readRolloutName(name), parseRolloutName(name))
      assert.deepEqual(readRolloutName(`${name}.zst`), parseRolloutName(`${name}.zst`))
    }
    assert.deepEqual(parseRolloutName(`rollout-${stamp}-${ID}.jsonl`), parsed)
    assert.deepEqual(parseRolloutName(`/a/b/rollout-${stamp}-${ID.toUpperCase()}.jsonl`), parsed)
    const v4 = '5973b6c0-94b8-487b-a530-2aeb6098ae0e'
    const other = { ...parsed, threadId: v4 }
    assert.deepEqual(parseRolloutName(`rollout-${stamp}-${v4}.jsonl`), other)
  })

  it('tells whether the file is compressed', () => {
    const stamp = '2026-11-20T18-33-36'
    const parsed = { threadId: ID, stamp, isCompressed: true }
    assert.deepEqual(parseRolloutName(`rollout-${stamp}-${ID}.jsonl.zst`), parsed)
  })

  it('is of that form only', () => {
    const names = [
      '',
      `rollout-${ID}.jsonl`,
      `rollout-2026-11-20T18-33-36-${ID}`,
      `rollout-2026-11-20T18-33-36-${ID}.zst`,
      `rollout-2026-11-20T18-33-36-${ID}.jsonl.zst.zst`,
      `rollout-2026-11-20T18-33-36-${ID}.jsonl.gz`,
      `rollout-2026-11-20T18-33-36-${ID}.jsonl~`,
      `rollout-2026-11-20-${ID}.jsonl`,
      `rollout-2026-11-20T18-33-36-${ID.slice(1)}.jsonl`,
      `rollout-2026-11-20T18-33-36-${ID.replace('0', 'x')}.jsonl`,
      `xrollout-2026-11-20T18-33-36-${ID}.jsonl`,
    ]
    assert.deepEqual(
      names.map(parseRolloutName),
      names.map(() => undefined),
    )
  })
})
