import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../../test/support/temp-folder.ts'
import { MountPoints } from './mount-points.ts'

describe('folders that are only there to be mounted over', () => {
  it('are those that were missing, until the last command has ended', async () => {
    await using folder = await TempFolder.create()
    const [missing, present] = [folder.at('missing'), folder.at('present')]
    await mkdir(present)
    using points = new MountPoints()
    assert.deepEqual(points.take([missing, present]), [missing])
    await mkdir(missing)
    assert.deepEqual(points.take([missing, present]), [missing])
    points.release([missing])
    assert.deepEqual([existsSync(missing), points.has(missing)], [true, true])
    points.release([missing])
    assert.deepEqual([existsSync(missing), points.has(missing)], [false, false])
    assert.ok(existsSync(present))
  })

  it('stay when somebody has put something there, and when they were never made', async () => {
    await using folder = await TempFolder.create()
    const [used, unmade] = [folder.at('used'), folder.at('unmade')]
    using points = new MountPoints()
    points.take([used, unmade])
    await mkdir(used)
    await writeFile(folder.at('used', 'x'), '')
    points.release([used, unmade])
    assert.deepEqual([existsSync(used), existsSync(unmade)], [true, false])
    assert.deepEqual(points.take([used]), [])
  })
})
