import { systemClock } from '../../src/base/index.ts'
import { InMemoryThreadStore } from '../../src/thread-store/index.ts'
import { threadStoreContract } from '../../src/thread-store/testing/index.ts'

threadStoreContract('in memory', async () => new InMemoryThreadStore(systemClock))
