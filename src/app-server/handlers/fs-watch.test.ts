import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppServerKit } from '../../../test/support/app-server-kit.ts'

describe('fs/watch', () => {
  it('tells its own client what changes, until it is closed', async () => {
    await using kit = await AppServerKit.open()
    const other = await kit.connect()
    const { client, project } = kit
    await client.request('fs/watch', { watchId: 'w', path: project })
    await writeFile(join(project, 'new.txt'), 'x')
    const { params } = await client.waitFor('fs/changed')
    assert.deepEqual(params, { watchId: 'w', changedPaths: [join(project, 'new.txt')] })
    await client.request('fs/unwatch', { watchId: 'w' })
    await client.request('fs/watch', { watchId: 'w', path: project })
    assert.equal(other.told().includes('fs/changed'), false)
  })

  it('follows a file through its replacements, and waits for one that is not there', async () => {
    await using kit = await AppServerKit.open()
    const { client, project } = kit
    const path = join(project, 'later.txt')
    await client.request('fs/watch', { watchId: 'file', path })
    await writeFile(join(project, 'other.txt'), 'x')
    await writeFile(join(project, 'made.txt'), 'x')
    await rename(join(project, 'made.txt'), path)
    const { params } = await client.waitFor('fs/changed')
    assert.deepEqual(params, { watchId: 'file', changedPaths: [path] })
  })
})
