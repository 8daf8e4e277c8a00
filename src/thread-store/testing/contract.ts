import { describe } from 'node:test'
import { contractBranches, contractRollbacks } from './branch-rules.ts'
import { contractArchive, contractMetadata, contractPatches } from './change-rules.ts'
import type { OpenStore } from './fixtures.ts'
import { contractHistory, contractWriters } from './history-rules.ts'
import {
  contractChoices,
  contractDirections,
  contractFilters,
  contractLists,
  contractPagesUnderInserts,
} from './list-rules.ts'
import { contractObserved, contractSearch } from './search-rules.ts'
import { contractMatrix } from './state-rules.ts'
import { contractContext, contractItems, contractTurns } from './turn-rules.ts'

/**
 * The rules of `docs/spec/thread-store.md`, as `node:test` tests of one store. Import it in a test
 * file of a store of your own: `threadStoreContract('mine', async () => new MyStore())`.
 */
export function threadStoreContract(name: string, open: OpenStore): void {
  describe(`thread store contract: ${name}`, () => {
    contractHistory(open)
    contractWriters(open)
    contractLists(open)
    contractDirections(open)
    contractPagesUnderInserts(open)
    contractFilters(open)
    contractChoices(open)
    contractMetadata(open)
    contractPatches(open)
    contractArchive(open)
    contractTurns(open)
    contractItems(open)
    contractContext(open)
    contractSearch(open)
    contractObserved(open)
    contractBranches(open)
    contractRollbacks(open)
    contractMatrix(open)
  })
}
