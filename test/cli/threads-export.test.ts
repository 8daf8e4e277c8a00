import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Workplace } from '../support/bobbin.ts'
import { answers, header, says, textOf, threadIdOf } from '../support/thread-log.ts'

const ID = threadIdOf(1)
const ITEMS = [header(ID), ...says('<b>hello</b>'), ...answers('**hi**')]

async function placeThread(place: Workplace, text = textOf(ITEMS)): Promise<string> {
  const name = `rollout-2026-11-20T10-00-00-${ID}.jsonl`
  const path = join(place.home, 'sessions', '2026', '11', '20', name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

const BEGINNINGS = { markdown: '# <b>hello</b>\n', html: '<!DOCTYPE html>', jsonl: '{"type":"ses' }

describe('bobbin threads export', () => {
  it('writes the format that was asked for, Markdown if none was', async () => {
    await using place = await Workplace.create()
    await placeThread(place)
    for (const [format, beginning] of Object.entries(BEGINNINGS)) {
      const { exitCode, stdout, stderr } = await place.run(['threads', 'export', ID, '-f', format])
      assert.deepEqual([exitCode, stderr], [0, ''])
      assert.ok(stdout.startsWith(beginning), stdout.slice(0, 100))
      assert.ok(stdout.includes('**hi**'))
    }
    const { stdout } = await place.run(['threads', 'export', ID])
    assert.ok(stdout.startsWith(BEGINNINGS.markdown))
    const html = (await place.run(['threads', 'export', ID, '-f', 'html'])).stdout
    assert.ok(html.includes('&lt;b&gt;hello') && !html.includes('<b>'))
  })

  it('takes the format from the name of the file; what was asked for comes first', async () => {
    await using place = await Workplace.create()
    await placeThread(place)
    const cases: readonly (readonly [string, keyof typeof BEGINNINGS, ...string[]])[] = [
      ['a.md', 'markdown'],
      ['a.html', 'html'],
      ['B.HTM', 'html'],
      ['a.jsonl', 'jsonl'],
      ['a.text', 'markdown'],
      ['other.md', 'html', '--format', 'html'],
    ]
    for (const [name, format, ...flags] of cases) {
      const run = await place.run(['threads', 'export', ID, '-o', name, ...flags])
      assert.deepEqual(run, { exitCode: 0, stdout: '', stderr: '' })
      const path = join(place.project, name)
      assert.ok((await readFile(path, 'utf8')).startsWith(BEGINNINGS[format]), name)
      assert.equal((await stat(path)).mode & 0o777, 0o600)
    }
  })

  it('tells with --json what it did, and what is damaged', async () => {
    await using place = await Workplace.create()
    const path = await placeThread(place, `${textOf(ITEMS)}rubbish\n`)
    const told = { schemaVersion: 1, id: ID, format: 'markdown', output: null, document: null }
    const damage = [{ place: `${path}:6`, reason: 'is not JSON' }]
    const plain = await place.run(['threads', 'export', ID, '--json'])
    const document = (await place.run(['threads', 'export', ID])).stdout
    assert.deepEqual(JSON.parse(plain.stdout), { ...told, document, damage })
    assert.match(plain.stderr, /^warning: .*:6 is not JSON; everything else is exported\n$/)
    const file = await place.run(['threads', 'export', ID, '--json', '-o', 'x.html'])
    const output = { format: 'html', output: 'x.html' }
    assert.deepEqual(JSON.parse(file.stdout), { ...told, ...output, damage })
  })

  it('says what is wrong with a format and a file, and what would be right', async () => {
    await using place = await Workplace.create()
    await placeThread(place)
    for (const [flags, parts] of [
      [
        ['--format', 'pdf'],
        ['--format pdf', 'markdown, html, jsonl'],
      ],
      [
        ['-o', 'nowhere/a.md'],
        ['--output nowhere/a.md', 'give -o a file in a folder'],
      ],
    ] as const) {
      const { exitCode, stdout, stderr } = await place.run(['threads', 'export', ID, ...flags])
      assert.deepEqual([exitCode, stdout], [2, ''])
      for (const part of parts) assert.ok(stderr.includes(part), stderr)
    }
  })
})
