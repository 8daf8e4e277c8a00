import assert from 'node:assert/strict'
import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  rename,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { ALL, CodexHome } from '../../../../test/support/codex-home.ts'
import { codesOf, contentsOf, doctorParams, troublesOf } from '../../../../test/support/doctor.ts'
import { Sqlite } from '../../../../test/support/sqlite.ts'
import { AT, header, says, textOf, threadIdOf, turn } from '../../../../test/support/thread-log.ts'
import { nodeFileSystem } from '../../../base/index.ts'
import { INDEX_FILE } from '../home-access.ts'
import { WriterLease } from '../writer-lease.ts'
import { type FilesPart, inspectFiles } from './inspect-files.ts'
import {
  type DoctorHelpers,
  type HomeReport,
  type InspectProgress,
  inspectHome,
} from './inspect-home.ts'

const LINES = [header(threadIdOf(1)), ...turn(1), ...turn(2)]
const TEXT = textOf(LINES)
const DAY_MS = 24 * 60 * 60 * 1000

/** A home that others cannot enter, with the thread 1 as `text`. */
async function homeWith(text: string | Buffer): Promise<CodexHome> {
  const home = await CodexHome.create()
  await chmod(home.path, 0o700)
  const path = await home.place({ n: 1 })
  await writeFile(path, text)
  return home
}

/** The n-th line, from 1. */
function lineOf(n: number): string {
  return `${TEXT.split('\n')[n - 1]}\n`
}

function startOf(n: number): number {
  return (
    Buffer.byteLength(
      TEXT.split('\n')
        .slice(0, n - 1)
        .join('\n'),
    ) + (n > 1 ? 1 : 0)
  )
}

describe('a home that is well', () => {
  it('has no troubles, and nothing in it is touched', async () => {
    await using home = await homeWith(TEXT)
    await home.place({ n: 2, isArchived: true })
    await home.fillIndex()
    const before = await contentsOf(home.path)
    assert.deepEqual(await troublesOf(home), [])
    assert.deepEqual(await contentsOf(home.path), before)
    const report = await inspectHome(doctorParams(home))
    assert.deepEqual(
      [report.threadFiles, report.archivedFiles, report.items],
      [2, 1, LINES.length + 3],
    )
  })

  it('is one that is not there yet, too', async () => {
    await using home = await CodexHome.create()
    const params = { ...doctorParams(home), home: home.folder.at('none') }
    const { findings } = await inspectHome(params)
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'ok'),
      [],
    )
    assert.ok(findings.some(({ code }) => code === 'no_home'))
  })
})

describe('a damaged rollout', () => {
  const cases: [string, string | Buffer, string, { lineNumber: number; offset: number }][] = [
    ['a line that is not JSON', TEXT.replace(lineOf(3), 'rubbish\n'), 'unreadable_lines', at(3)],
    ['a run of NULs', TEXT.replace(lineOf(4), '\0\0\0\0\n'), 'unreadable_lines', at(4)],
    ['a torn tail', TEXT.slice(0, -20), 'torn_tail', at(LINES.length)],
    ['a lost newline', TEXT.slice(0, -1), 'unended_tail', at(LINES.length)],
    ['bad UTF-8', latin(TEXT.replace('"u2"', '"u\xff"')), 'bad_utf8', at(11)],
    ['a byte order mark', `\uFEFF${TEXT}`, 'byte_order_mark', at(1)],
  ]

  function at(n: number) {
    return { lineNumber: n, offset: startOf(n) }
  }

  function latin(text: string): Buffer {
    return Buffer.from(text, 'latin1')
  }

  for (const [what, text, code, place] of cases) {
    it(`is told to have ${what}, and where`, async () => {
      await using home = await homeWith(text)
      const [found, ...more] = await troublesOf(home)
      assert.deepEqual(more, [])
      assert.equal(found?.code, code)
      assert.equal(found?.path, home.pathOf({ n: 1 }))
      const { lineNumber, offset } = found?.places[0] ?? {}
      assert.deepEqual({ lineNumber, offset }, place)
      assert.equal(found?.repair, 'rewrite')
    })
  }

  it('is told how often it is damaged, with the first places', async () => {
    await using home = await homeWith(TEXT + 'x\n'.repeat(100))
    const [found] = await troublesOf(home)
    assert.deepEqual([found?.count, found?.places.length], [100, 5])
  })

  it('may have lost its header, or have it too late, or that of another thread', async () => {
    const other = textOf([header(threadIdOf(2))])
    for (const [text, codes] of [
      ['', ['lost_header']],
      [textOf(LINES.slice(1)), ['lost_header']],
      [lineOf(2) + TEXT, ['late_header']],
      [other + textOf(LINES.slice(1)), ['other_id']],
      [`x\n${other}${textOf(LINES.slice(1))}`, ['unreadable_lines', 'lost_header']],
      [`x\n${TEXT}`, ['unreadable_lines']],
      [TEXT + other, []],
    ] as const) {
      await using home = await homeWith(text)
      assert.deepEqual(await codesOf(home), codes)
    }
  })

  it('is not called torn while a program writes to it', async () => {
    await using home = await homeWith(TEXT.slice(0, -20))
    const me = { client: 'other', nowMs: 0 }
    await using _ = await WriterLease.take(home.path, threadIdOf(1), me)
    const { findings } = await inspectHome(doctorParams(home))
    const codes = findings.map(({ code }) => code)
    assert.ok(codes.includes('being_written') && codes.includes('writer'), codes.join())
    assert.ok(!codes.includes('torn_tail'))
  })

  it('is never to be written anew when its lines are numbered or it is compressed', async () => {
    const numbered = TEXT.replaceAll(`"${AT}",`, `"${AT}","ordinal":0,`).slice(0, -20)
    await using home = await homeWith(numbered)
    const packed = home.pathOf({ n: 3 }).concat('.zst')
    const text = zstdCompressSync(textOf([header(threadIdOf(3)), ...turn(1)]))
    await writeFile(packed, text.subarray(0, -10))
    const found = await troublesOf(home)
    assert.deepEqual(
      found.map(({ code, repair }) => [code, repair]),
      [
        ['torn_tail', null],
        ['bad_compression', null],
        ['lost_header', null],
      ],
    )
  })
})

describe('what lies in the wrong place', () => {
  it('is told: copies, strays, links, other days, leftovers', async () => {
    await using home = await homeWith(TEXT)
    const path = home.pathOf({ n: 1 })
    const other = await home.place({ n: 2 })
    const moved = join(home.path, 'sessions', '2026', '11', '19', other.split('/').at(-1) ?? '')
    await mkdir(dirname(moved), { recursive: true })
    await rename(other, moved)
    await home.place({ n: 1, isArchived: true })
    await symlink(path, home.pathOf({ n: 4 }))
    await writeFile(join(dirname(path), 'notes.jsonl'), '')
    await writeFile(`${home.pathOf({ n: 5 })}.part`, '')
    const atS = (Date.parse(AT) - 2 * DAY_MS) / 1000
    await utimes(`${home.pathOf({ n: 5 })}.part`, atS, atS)
    const found = (await troublesOf(home)).map(({ code, path, count }) => [code, path, count])
    assert.deepEqual(found, [
      ['not_a_file', home.pathOf({ n: 4 }), 1],
      ['stray_files', null, 1],
      ['other_folder', moved, 1],
      ['several_files', path, 2],
      ['leftover_part', `${home.pathOf({ n: 5 })}.part`, 1],
    ])
  })

  it('is a thread that is there plain and compressed', async () => {
    await using home = await homeWith(TEXT)
    await writeFile(`${home.pathOf({ n: 1 })}.zst`, zstdCompressSync(TEXT))
    assert.deepEqual(await codesOf(home), ['several_files'])
  })
})

describe('modes', () => {
  it('are told once the home is open to others; a key always', async () => {
    await using home = await homeWith(TEXT)
    await writeFile(home.folder.at('auth.json'), '{}', { mode: 0o644 })
    assert.deepEqual(await codesOf(home), ['open_secret'])
    await chmod(home.path, 0o755)
    assert.deepEqual(await codesOf(home), ['open_secret', 'open_modes'])
  })
})

describe('names', () => {
  it('are told when a line names nothing, or a thread that is not here', async () => {
    await using home = await homeWith(TEXT)
    const line = (n: number) =>
      JSON.stringify({ id: threadIdOf(n), thread_name: 'x', updated_at: AT })
    await writeFile(home.folder.at('session_index.jsonl'), `${line(1)}\nbad\n${line(9)}\n{"id":`)
    const { findings } = await inspectHome(doctorParams(home))
    const names = findings.filter(({ section }) => section === 'names')
    assert.deepEqual(
      names.map(({ severity, code, count }) => [severity, code, count]),
      [
        ['ok', 'names', 2],
        ['warn', 'bad_names', 2],
        ['ok', 'orphan_names', 1],
      ],
    )
    assert.deepEqual(
      names[1]?.places.map(({ lineNumber, offset }) => [lineNumber, offset]),
      [
        [2, line(1).length + 1],
        [4, 2 * line(1).length + 6],
      ],
    )
  })
})

/** Without what is so of the machine: how much of its disk is free changes meanwhile. */
function ofThreads(report: HomeReport): HomeReport {
  return { ...report, findings: report.findings.filter(({ section }) => section !== 'home') }
}

describe('a home of many megabytes', () => {
  const filler = textOf(says('x'.repeat(1000))).repeat(5500)

  it('is shared out, and told of the same; a part that failed is done here', async () => {
    await using home = await homeWith(TEXT + filler)
    for (const n of [2, 3]) {
      await writeFile(await home.place({ n }), textOf([header(threadIdOf(n))]) + filler)
    }
    await home.fillIndex()
    await appendFile(home.pathOf({ n: 1 }), 'no json\n')
    await appendFile(home.pathOf({ n: 3 }), '{"half":')
    const alone = await inspectHome(doctorParams(home))
    assert.deepEqual(
      alone.findings.filter(({ severity }) => severity === 'fail').map(({ code }) => code),
      ['unreadable_lines', 'torn_tail'],
    )
    const parts: FilesPart[] = []
    const told: number[] = []
    const helpers: DoctorHelpers = {
      count: 2,
      inspect: async (part, onBytes) => {
        parts.push(part)
        if (parts.length === 2) throw new Error('no help today')
        return inspectFiles(part, { files: nodeFileSystem, onBytes })
      },
    }
    const onProgress = ({ doneBytes }: InspectProgress) => told.push(doneBytes)
    const shared = await inspectHome({ ...doctorParams(home), helpers, onProgress })
    assert.deepEqual(ofThreads(shared), ofThreads(alone))
    assert.deepEqual(
      parts.map(({ rollouts }) => rollouts.length),
      [1, 1],
    )
    assert.equal(told.at(-1), alone.sizeBytes)
    assert.ok(told.length > 30)
  })

  it('is not worth help when it is small', async () => {
    await using home = await homeWith(TEXT)
    const helpers = { count: 2, inspect: () => assert.fail('nobody needs help') }
    assert.equal((await inspectHome({ ...doctorParams(home), helpers })).threadFiles, 1)
  })
})

describe('the index', () => {
  async function indexed(change: (index: Sqlite, home: CodexHome) => void) {
    const home = await homeWith(TEXT)
    await using store = home.store()
    await store.listThreads(ALL)
    await store.searchThreads({ query: 'u1', limit: 1, includeSubagents: true })
    const index = new Sqlite(home.folder.at(INDEX_FILE))
    change(index, home)
    index.close()
    return home
  }

  it('lies when it says of a file as it is now what is not in it', async () => {
    await using home = await indexed((index) => {
      index.exec(`UPDATE threads SET summary = json_set(summary, '$.preview', 'never said')`)
    })
    const [found, ...more] = await troublesOf(home)
    assert.deepEqual(more, [])
    assert.deepEqual(
      [found?.severity, found?.code, found?.paths, found?.repair],
      ['fail', 'index_lies', [home.pathOf({ n: 1 })], 'set_index_aside'],
    )
  })

  it('does not lie when the file went on, or is gone', async () => {
    await using home = await indexed((index) => {
      index.exec(`UPDATE threads SET summary = json_set(summary, '$.preview', 'never said')`)
    })
    await appendFile(home.pathOf({ n: 1 }), textOf(says('more')))
    assert.deepEqual(await codesOf(home), [])
    await rename(home.pathOf({ n: 1 }), home.folder.at('elsewhere'))
    const { findings } = await inspectHome(doctorParams(home))
    assert.ok(findings.some(({ code, severity }) => code === 'gone_rows' && severity === 'ok'))
  })

  it('is told of the turns it has wrong', async () => {
    await using home = await indexed((index) => {
      index.exec(`UPDATE turns SET turn_id = 'other' WHERE turn_order = 1`)
    })
    assert.deepEqual(await codesOf(home), ['index_lies'])
  })

  it('may be damaged, in its pages or in its full text, or be no database', async () => {
    for (const damage of [
      (index: Sqlite) => index.exec('DROP TABLE threads'),
      (index: Sqlite) => {
        index.enableDefensive(false)
        index.exec(`UPDATE turn_words_data SET block = x'00112233' WHERE id > 10`)
      },
    ]) {
      await using home = await indexed(damage)
      assert.deepEqual(await codesOf(home), ['damaged_index'])
    }
    await using home = await homeWith(TEXT)
    await writeFile(home.folder.at(INDEX_FILE), 'rubbish '.repeat(1000))
    assert.deepEqual(await codesOf(home), ['damaged_index'])
    assert.equal(await readFile(home.folder.at(INDEX_FILE), 'utf8'), 'rubbish '.repeat(1000))
  })

  it('may be of a newer version, which is left alone', async () => {
    await using home = await indexed((index) => index.pragma('user_version = 99'))
    const [found, ...more] = await troublesOf(home)
    assert.deepEqual(more, [])
    assert.deepEqual([found?.code, found?.severity, found?.repair], ['newer_index', 'warn', null])
  })
})
