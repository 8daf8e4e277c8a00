export { ThreadIndex, type ThreadRow } from './thread-index.ts'
