import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { findSandbox } from '../../src/core/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { header, textOf, threadIdOf, turn } from '../support/thread-log.ts'

const NAME = `rollout-2026-11-20T10-00-00-${threadIdOf(1)}.jsonl`
const SHORT = join('sessions', '2026', '11', '20', NAME)
const TEXT = textOf([header(threadIdOf(1)), ...turn(1)])

async function homeWith(text: string): Promise<Workplace> {
  const place = await Workplace.create()
  const path = join(place.home, SHORT)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await chmod(place.home, 0o700)
  await writeFile(path, text, { mode: 0o600 })
  return place
}

describe('bobbin doctor', () => {
  it('says that all is well, and ends with 0', async () => {
    await using place = await homeWith(TEXT)
    const { exitCode, stdout, stderr } = await place.run(['doctor'])
    assert.deepEqual([exitCode, stderr], [0, ''])
    using sandbox = await findSandbox({ searchPath: process.env.PATH })
    assert.match(stdout, sandbox.isThere ? /\nall is well\n$/ : /\n1 warning\n$/)
    assert.match(stdout, sandbox.isThere ? /commands can be confined\n/ : /cannot be confined: /)
    assert.match(stdout, /\n {2}ok {4}1 file of threads with 8 lines\n/)
  })

  it('says what is damaged, where, and what to do; changes nothing and ends with 6', async () => {
    await using place = await homeWith(`rubbish\n${TEXT}{"torn`)
    const { exitCode, stdout } = await place.run(['doctor'])
    assert.equal(exitCode, 6)
    assert.ok(stdout.includes(`fail  1 line cannot be read  ${SHORT}\n`), stdout)
    assert.match(stdout, / line 1, byte 0 is not JSON\n {10}→ bobbin doctor --repair\n/)
    // One where commands cannot be confined.
    assert.match(stdout, /\n2 damages, [01] warnings?\n$/)
    assert.deepEqual(await place.homeFiles(), [SHORT])
    assert.equal(await readFile(join(place.home, SHORT), 'utf8'), `rubbish\n${TEXT}{"torn`)
  })

  it('repairs, tells what was kept and where the file is as it was, and is done', async () => {
    await using place = await homeWith(`rubbish\n${TEXT}{"torn`)
    const { exitCode, stdout } = await place.run(['doctor', '--repair', '--json'])
    assert.equal(exitCode, 0)
    const { repairs, damaged, counts } = JSON.parse(stdout)
    assert.deepEqual([damaged, counts.fail, repairs.length], [false, 0, 1])
    const { backup, ...repair } = repairs[0]
    assert.deepEqual(repair, {
      what: 'rewrite',
      path: join(place.home, SHORT),
      status: 'done',
      told: '8 lines kept, 2 removed',
      kept: 8,
      removed: 2,
      headersMade: 0,
    })
    assert.equal(await readFile(backup, 'utf8'), `rubbish\n${TEXT}{"torn`)
    assert.equal(await readFile(join(place.home, SHORT), 'utf8'), TEXT)
    const again = await place.run(['doctor', '--repair'])
    assert.match(again.stdout, /repairs\n {2}nothing to mend\n/)
    assert.equal(again.exitCode, 0)
  })

  it('ends with 6 when something cannot be repaired', async () => {
    await using place = await homeWith(TEXT.replaceAll(threadIdOf(1), threadIdOf(2)))
    const { exitCode, stdout } = await place.run(['doctor', '--repair'])
    assert.equal(exitCode, 6)
    assert.match(stdout, /→ name the file after the header, or restore it from a backup\n/)
  })

  it('reads a large home on several threads, and tells of all of it', async () => {
    const filler = textOf(turn('x'.repeat(1000))).repeat(3000)
    await using place = await homeWith(TEXT + filler)
    const other = `rollout-2026-11-20T10-00-00-${threadIdOf(2)}.jsonl`
    const path = join(place.home, dirname(SHORT), other)
    await writeFile(path, `${textOf([header(threadIdOf(2))])}rubbish\n${filler}`, { mode: 0o600 })
    const { exitCode, stdout, stderr } = await place.run(['doctor', '--json'])
    assert.deepEqual([exitCode, stderr], [6, ''])
    const { threads, findings } = JSON.parse(stdout)
    const perTurn = turn(1).length
    assert.equal(threads.lines, 2 + perTurn + 2 * 3000 * perTurn)
    assert.ok(threads.sizeBytes > 32 * 1024 * 1024)
    const failed = findings.filter(({ severity }: { severity: string }) => severity === 'fail')
    assert.deepEqual(
      failed.map((found: { code: string; path: string }) => [found.code, found.path]),
      [['unreadable_lines', path]],
    )
  })

  it('prints counts only with --summary, also as JSON', async () => {
    await using place = await homeWith(`rubbish\n${TEXT}`)
    const text = await place.run(['doctor', '--summary'])
    assert.equal(text.exitCode, 6)
    assert.match(text.stdout, /\nfail {2}threads {2}1 ok, 0 warn, 1 fail\n/)
    const { stdout } = await place.run(['doctor', '--summary', '--json'])
    const { sections, findings, schemaVersion } = JSON.parse(stdout)
    assert.deepEqual(sections.threads, { ok: 1, warn: 0, fail: 1 })
    assert.deepEqual([findings, schemaVersion], [undefined, 1])
  })

  it('tells of a configuration that cannot be read, and of modes', async () => {
    await using place = await homeWith(TEXT)
    await writeFile(join(place.home, 'config.toml'), '= nonsense')
    await chmod(place.home, 0o755)
    const { exitCode, stdout } = await place.run(['doctor', '--json'])
    const { findings }: { findings: { code: string; severity: string }[] } = JSON.parse(stdout)
    const ofHome = findings.filter(({ code }) => code !== 'sandbox')
    const bad = ofHome.filter(({ severity }) => severity !== 'ok')
    assert.equal(exitCode, 6)
    assert.deepEqual(
      bad.map(({ code, severity }) => [code, severity]),
      [
        ['config', 'fail'],
        ['open_modes', 'warn'],
      ],
    )
  })

  it('cannot examine a home that is no folder', async () => {
    await using place = await Workplace.create()
    await writeFile(place.home, '')
    assert.equal((await place.run(['doctor'])).exitCode, 10)
  })
})
