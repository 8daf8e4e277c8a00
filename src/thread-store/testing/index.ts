export { threadStoreContract } from './contract.ts'
export { aHeader, aMessage, type OpenStore } from './fixtures.ts'
