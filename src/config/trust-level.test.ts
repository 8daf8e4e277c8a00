import assert from 'node:assert/strict'
import { mkdir, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { trustLevel } from './trust-level.ts'

describe('the trust in a folder', () => {
  it('is that in it, in what it links to, or in its repository, and in no other', async () => {
    await using temp = await TempFolder.create()
    for (const path of ['project/.git', 'project/sub/deep', 'project/inner/.git', 'plain/sub']) {
      await mkdir(temp.at(path), { recursive: true })
    }
    await symlink(temp.at('project'), temp.at('link'))
    const config = {
      trustedFolders: [temp.at('project'), temp.at('plain')],
      untrustedFolders: [temp.at('project/sub'), temp.at('gone')],
    }
    const levels = (...paths: string[]) => paths.map((path) => trustLevel(config, temp.at(path)))
    assert.deepEqual(levels('project', 'project/sub/deep', 'link', 'plain'), [
      'trusted',
      'trusted',
      'trusted',
      'trusted',
    ])
    assert.deepEqual(levels('project/sub', 'link/sub', 'gone'), [
      'untrusted',
      'untrusted',
      'untrusted',
    ])
    assert.deepEqual(levels('project/inner', 'plain/sub', 'gone/sub', '.'), [
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})
