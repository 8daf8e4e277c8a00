import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { LocalThreadStore } from '../../src/thread-store/index.ts'
import { threadStoreContract } from '../../src/thread-store/testing/index.ts'

const homes: string[] = []
after(() => Promise.all(homes.map((home) => rm(home, { recursive: true, force: true }))))

threadStoreContract('local', async () => {
  const home = await mkdtemp(join(tmpdir(), 'bobbin-contract-'))
  homes.push(home)
  const files = nodeFileSystem
  return new LocalThreadStore({ home, files, clock: systemClock, durability: 'process' })
})
