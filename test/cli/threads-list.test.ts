import assert from 'node:assert/strict'
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { Workplace } from '../support/bobbin.ts'
import { header, says, textOf, threadIdOf } from '../support/thread-log.ts'

const DAY = join('sessions', '2026', '11', '20')

/** The thread `n`, the newer the greater `n`, started in `cwd`. */
async function placeThread(place: Workplace, n: number, cwd = '/p'): Promise<string> {
  const path = join(place.home, DAY, `rollout-2026-11-20T10-00-00-${threadIdOf(n)}.jsonl`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, textOf([header(threadIdOf(n), { cwd }), ...says(`hello ${n}`)]))
  await utimes(path, 1_800_000_000 + n, 1_800_000_000 + n)
  return path
}

async function listed(place: Workplace, ...flags: string[]) {
  const { exitCode, stdout, stderr } = await place.run(['threads', 'list', '--jsonl', ...flags])
  assert.equal(exitCode, 0, stderr)
  const lines = stdout.split('\n')
  assert.equal(lines.pop(), '')
  const threads: { id: string; preview: string }[] = lines.map((line) => JSON.parse(line))
  return { threads, previews: threads.map(({ preview }) => preview), stderr }
}

describe('bobbin threads list --jsonl', () => {
  it('prints the objects of --json, one a line', async () => {
    await using place = await Workplace.create()
    for (const n of [1, 2, 3]) await placeThread(place, n)
    const { threads, stderr } = await listed(place)
    const whole = await place.run(['threads', 'list', '--json'])
    assert.deepEqual(threads, JSON.parse(whole.stdout).threads)
    assert.equal(threads.length, 3)
    assert.equal(stderr, '')
  })

  it('goes over all pages, unless there is a limit, and tells how to go on', async () => {
    await using place = await Workplace.create()
    const count = 1005
    for (let n = 1; n <= count; n += 1) await placeThread(place, n)
    const newestFirst = Array.from({ length: count }, (_, n) => `hello ${count - n}`)
    const whole = await listed(place)
    assert.deepEqual([whole.previews, whole.stderr], [newestFirst, ''])
    const page = await listed(place, '-n', '2')
    assert.deepEqual(page.previews, newestFirst.slice(0, 2))
    const cursor = /--cursor (\S+)\n$/.exec(page.stderr)?.[1] ?? assert.fail(page.stderr)
    assert.deepEqual((await listed(place, '--cursor', cursor)).previews, newestFirst.slice(2))
    assert.equal((await place.run(['threads', 'list', '--json'])).stdout.split('"id"').length, 26)
  })

  it('prints nothing where there is nothing, and warns beside the lines', async () => {
    await using place = await Workplace.create()
    assert.deepEqual(await listed(place), { threads: [], previews: [], stderr: '' })
    const empty = await place.run(['threads', 'list'])
    assert.equal(empty.stderr, `no threads in ${place.home}\n`)
    const path = await placeThread(place, 1)
    await placeThread(place, 2)
    const none = await place.run(['threads', 'list', '--text', 'nobody'])
    assert.equal(none.stderr, `no threads like that in ${place.home}\n`)
    await writeFile(path, 'rubbish\n')
    const { previews, stderr } = await listed(place)
    assert.deepEqual(previews, ['hello 2'])
    assert.equal(stderr, `warning: cannot list ${path}: no readable session_meta line\n`)
  })

  it('is not printed together with --json', async () => {
    await using place = await Workplace.create()
    const { exitCode, stdout, stderr } = await place.run(['threads', 'list', '--json', '--jsonl'])
    assert.deepEqual([exitCode, stdout], [2, ''])
    const { message, remedy } = JSON.parse(stderr).error
    const words = [message, remedy]
    assert.deepEqual(words, ['--json and --jsonl: the output can be one only', 'give one of them'])
  })

  it('says what is wrong with a limit and an order, and what would be right', async () => {
    await using place = await Workplace.create()
    for (const [flag, value, remedy] of [
      ['--limit', '1001', 'from 1 to 1000'],
      ['--limit', 'all', 'from 1 to 1000'],
      ['--sort', 'name', 'give created or updated'],
    ] as const) {
      const { exitCode, stderr } = await place.run(['threads', 'list', '--jsonl', flag, value])
      assert.equal(exitCode, 2)
      assert.ok(stderr.includes(`${flag} ${value}`) && stderr.includes(remedy), stderr)
    }
  })
})

describe('bobbin threads list --project', () => {
  it('takes the whole work tree that the folder is in', async () => {
    await using place = await Workplace.create()
    const deep = join(place.project, 'a', 'b')
    await mkdir(deep, { recursive: true })
    await mkdir(join(place.project, '.git'))
    await symlink(deep, join(place.root, 'link'))
    const folders = [place.project, deep, join(place.project, 'a'), place.root, `${place.project}2`]
    for (const [n, folder] of folders.entries()) await placeThread(place, n, folder)
    const inside = ['hello 2', 'hello 1', 'hello 0']
    for (const folder of ['.', deep, join(place.root, 'link'), join(deep, 'gone')]) {
      assert.deepEqual((await listed(place, '--project', folder)).previews, inside, folder)
    }
  })

  it('takes the folder and those below it where there is no work tree', async () => {
    await using place = await Workplace.create()
    const folders = ['a', 'a/b', 'ab', '.'].map((name) => join(place.root, name))
    for (const [n, folder] of folders.entries()) await placeThread(place, n, folder)
    const { previews } = await listed(place, '--project', '../a')
    assert.deepEqual(previews, ['hello 1', 'hello 0'])
    const text = await place.run(['threads', 'list', '--project', join(place.root, 'none')])
    assert.deepEqual([text.exitCode, text.stdout], [0, ''])
  })
})

describe('a compressed thread', () => {
  it('is listed, shown and exported like a plain one', async () => {
    await using place = await Workplace.create()
    const plain = await placeThread(place, 1)
    const id = threadIdOf(1)
    const before = await place.run(['threads', 'export', id, '-f', 'jsonl'])
    const text = textOf([header(id), ...says('squeezed')])
    await writeFile(`${plain}.zst`, zstdCompressSync(text))
    assert.deepEqual((await listed(place)).previews, ['hello 1'])
    const other = join(dirname(plain), `rollout-2026-11-20T10-00-00-${threadIdOf(2)}.jsonl.zst`)
    await writeFile(other, zstdCompressSync(text.replaceAll(id, threadIdOf(2))))
    await utimes(other, 1_800_000_002, 1_800_000_002)
    assert.deepEqual((await listed(place)).previews, ['squeezed', 'hello 1'])
    const shown = await place.run(['threads', 'show', threadIdOf(2)])
    assert.match(shown.stdout, /you {2}squeezed\n/)
    const after = await place.run(['threads', 'export', threadIdOf(2), '-f', 'jsonl'])
    const swapped = before.stdout.replaceAll('hello 1', 'squeezed').replaceAll(id, threadIdOf(2))
    assert.equal(after.stdout, swapped.replaceAll('"/p"', '"/repo"'))
  })
})
