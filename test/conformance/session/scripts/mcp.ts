import { join } from 'node:path'
import type { JsonObject } from '../../../../src/base/index.ts'
import type { DifferenceId } from '../differences.ts'
import { functionCall, type ModelStep } from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import { concludes, heldAt, says } from './say.ts'

const SERVER = join(import.meta.dirname, '..', '..', '..', 'support', 'mcp', 'stdio-server.ts')
/** Real Codex takes in the first page of a server's tools alone. */
const ALL_TOOLS = '100'

const FAKE = {
  'mcp_servers.fake.command': process.execPath,
  'mcp_servers.fake.args': [SERVER, ALL_TOOLS],
}

function calls(name: string, args: JsonObject = {}): ModelStep {
  return says({ ...functionCall(name, args, 'call_1'), namespace: 'mcp__fake__' })
}

const STARTS: readonly DifferenceId[] = ['mcp-start']

function inOneTurn(
  name: string,
  step: ModelStep,
  more: Partial<SessionScript> = {},
): SessionScript {
  return {
    name,
    config: FAKE,
    model: [step, concludes('Done.')],
    play: async (stage) => {
      await stage.turn(await stage.start(), 'use it')
    },
    differences: STARTS,
    ...more,
  }
}

const ELICITATION = 'mcpServer/elicitation/request'

export const subject: Subject = {
  title: 'MCP',
  scripts: [
    inOneTurn('a tool of an MCP server', calls('echo', { text: 'hé' })),
    inOneTurn('a tool of an MCP server with structure', calls('structured')),
    inOneTurn('a tool of an MCP server that fails', calls('fails')),
    inOneTurn('a tool of an MCP server that breaks', calls('refuses')),
    inOneTurn('an MCP server that asks, and is answered', calls('ask'), {
      answer: ({ method }) =>
        method === ELICITATION
          ? { action: 'accept', content: { name: 'Ada' }, _meta: null }
          : undefined,
      play: async (stage) => {
        await stage.turn(await stage.start({ approvalPolicy: 'on-request' }), 'use it')
      },
    }),
    inOneTurn('an MCP server that asks, and is declined', calls('ask'), {
      answer: ({ method }) =>
        method === ELICITATION ? { action: 'decline', content: null, _meta: null } : undefined,
      play: async (stage) => {
        await stage.turn(await stage.start({ approvalPolicy: 'on-request' }), 'use it')
      },
    }),
    inOneTurn('interrupted while an MCP server works', says(), {
      model: [heldAt(calls('never'), 'gate', 3), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'use it')
        await stage.itemStarted('mcpToolCall')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: [...STARTS, 'interrupted-tool-ends', 'count-of-a-broken-answer'],
    }),
    inOneTurn('an MCP server that does not start', calls('echo', { text: 'x' }), {
      config: { 'mcp_servers.fake.command': '/nowhere/server' },
      differences: [...STARTS, 'mcp-start-words'],
    }),
  ],
}
