import { type Clients, NoAnswer } from '../../src/core/tools/tool.ts'

/** Nobody watches: for tests of tools that ask nothing. */
export const noClients: Clients = {
  canAsk: () => false,
  ask: async () => {
    throw new NoAnswer('there is nobody to ask here')
  },
}
