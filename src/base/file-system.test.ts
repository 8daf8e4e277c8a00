import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { nodeFileSystem as files } from './file-system.ts'

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}

describe('nodeFileSystem', () => {
  it('makes files and folders for their owner only', async () => {
    await using folder = await TempFolder.create()
    await files.makeDirectory(folder.at('a', 'b'))
    const file = await files.openForAppend(folder.at('a', 'b', 'c'), 'create')
    await file.close()
    const paths = [folder.at('a'), folder.at('a', 'b'), folder.at('a', 'b', 'c')]
    assert.deepEqual(await Promise.all(paths.map(modeOf)), ['700', '700', '600'])
  })

  it('reads more files at once than the process may open: the others wait', async () => {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('x'), 'x')
    const script = `
      const { nodeFileSystem } = await import(process.argv[1])
      const read = async () => {
        const file = await nodeFileSystem.openForRead(process.argv[2])
        const count = await file.read(Buffer.alloc(1), 0)
        await file.close()
        return count
      }
      const counts = await Promise.all(Array.from({ length: 300 }, read))
      process.stdout.write(String(counts.reduce((sum, count) => sum + count, 0)))`
    const module = join(import.meta.dirname, 'file-system.ts')
    const node = [process.execPath, '--input-type=module', '-e', script, module, folder.at('x')]
    const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node]
    assert.equal(execFileSync('sh', limited, { encoding: 'utf8' }), '300')
  })

  it('makes a file only where there is none, and opens only one that is there', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x')
    await assert.rejects(files.openForAppend(path, 'existing'), { code: 'ENOENT' })
    await (await files.openForAppend(path, 'create')).close()
    await assert.rejects(files.openForAppend(path, 'create'), { code: 'EEXIST' })
  })

  it('writes at the end, whatever was written by others meanwhile', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('x')
    const [one, two] = [
      await files.openForAppend(path, 'create'),
      await files.openForAppend(path, 'existing'),
    ]
    for (const [file, text] of [
      [one, 'a'],
      [two, 'b'],
      [one, 'c'],
    ] as const) {
      assert.equal(await file.write(Buffer.from(text)), 1)
    }
    await Promise.all([one.close(), two.close()])
    assert.equal(await files.readText(path), 'abc')
  })

  it('follows no final link, neither for reading nor for writing', async () => {
    await using folder = await TempFolder.create()
    await writeFile(folder.at('real'), 'x')
    await symlink('real', folder.at('link'))
    await assert.rejects(files.openForRead(folder.at('link')), { code: 'ELOOP' })
    await assert.rejects(files.openForAppend(folder.at('link'), 'existing'), { code: 'ELOOP' })
    await assert.rejects(files.openForAppend(folder.at('link'), 'create'), { code: 'EEXIST' })
    assert.equal((await files.facts(folder.at('link')))?.kind, 'other')
  })

  it('does not wait for the other end of a pipe', async () => {
    await using folder = await TempFolder.create()
    execFileSync('mkfifo', [folder.at('pipe')])
    const file = await files.openForRead(folder.at('pipe'))
    assert.equal((await file.facts()).kind, 'other')
    await file.close()
    await assert.rejects(files.readText(folder.at('pipe')), /not a regular file/)
  })

  it('finds nothing where nothing is', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('nothing')
    assert.deepEqual(
      [await files.facts(path), await files.readDirectory(path), await files.readText(path)],
      [undefined, [], undefined],
    )
  })

  it('tells when the last path to an open file is gone', async () => {
    await using folder = await TempFolder.create()
    const file = await files.openForAppend(folder.at('x'), 'create')
    assert.equal((await file.facts()).linkCount, 1)
    execFileSync('rm', [folder.at('x')])
    assert.equal((await file.facts()).linkCount, 0)
    await file.close()
  })
})
