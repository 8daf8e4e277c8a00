/** The contract on the store that the environment names: run by `broken.test.ts`, never alone. */
import { threadStoreContract } from '../../src/thread-store/testing/index.ts'
import { BROKEN, UNBROKEN } from './broken-stores.ts'

const name = process.env.BROKEN_STORE ?? ''
const { open } = BROKEN[name] ?? UNBROKEN

threadStoreContract(name, async () => open())
