export { aHeader, aMessage, type OpenStore, threadStoreContract } from './contract.ts'
