import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../../test/support/temp-folder.ts'
import { heldPatchFiles } from './held-patch-files.ts'

const skip = existsSync('/proc/self/fd') ? false : 'there is no /proc here'

async function open() {
  const folder = await TempFolder.create()
  await mkdir(folder.at('in', 'sub'), { recursive: true })
  await mkdir(folder.at('out'))
  await writeFile(folder.at('out', 'x'), 'secret and long')
  return folder
}

describe('files of a patch that are held', { skip }, () => {
  it('are made, written and removed where they were seen to be', async () => {
    await using folder = await open()
    const [a, deep] = [folder.at('in', 'a'), folder.at('in', 'new', 'er', 'b')]
    const files = heldPatchFiles([a, deep])
    await files.write(a, 'a long text')
    await files.write(a, 'short')
    await files.write(deep, 'b')
    assert.deepEqual([await files.readText(a), readFileSync(deep, 'utf8')], ['short', 'b'])
    await files.remove(a)
    assert.ok(!existsSync(a))
    await assert.rejects(files.remove(a), { code: 'ENOENT' })
  })

  it('may lie behind links that were seen', async () => {
    await using folder = await open()
    await symlink(folder.at('in', 'sub'), folder.at('in', 'link'))
    const files = heldPatchFiles([folder.at('in', 'sub', 'a')])
    await files.write(folder.at('in', 'link', 'a'), 'a')
    assert.equal(readFileSync(folder.at('in', 'sub', 'a'), 'utf8'), 'a')
  })

  it('are left alone when a link has come into their path', async () => {
    await using folder = await open()
    await symlink(folder.at('out'), folder.at('in', 'dir'))
    await symlink(folder.at('out', 'x'), folder.at('in', 'file'))
    await symlink(folder.at('out', 'new'), folder.at('in', 'nothing'))
    const path = (...parts: string[]) => folder.at('in', ...parts)
    const places = [path('dir', 'x'), path('dir', 'y', 'z'), path('file'), path('nothing')]
    const files = heldPatchFiles(places)
    for (const place of places) await assert.rejects(files.write(place, ''), place)
    await assert.rejects(files.remove(path('dir', 'x')))
    assert.equal(readFileSync(folder.at('out', 'x'), 'utf8'), 'secret and long')
    assert.ok(!existsSync(folder.at('out', 'y')) && !existsSync(folder.at('out', 'new')))
  })
})
