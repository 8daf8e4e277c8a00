/**
 * The scripted model of the bench, in a process of its own so that nobody's numbers hold it. Says
 * its address on standard output, then answers each line of standard input with the time at which
 * the first request since the line before had arrived.
 */

import { assistantMessage } from '../src/core/model/script.ts'
import { ScriptedResponsesServer } from '../test/support/responses-server.ts'
import { readLinesOf, unixMs, writeLine } from './line-pipe.ts'

let firstRequestMs: number | undefined

await using server = await ScriptedResponsesServer.start(() => {
  firstRequestMs ??= unixMs()
  return { items: [assistantMessage('Done.', { id: 'msg_1' })] }
})
writeLine(server.baseUrl)
for await (const _line of readLinesOf(process.stdin)) {
  writeLine(String(firstRequestMs ?? 0))
  firstRequestMs = undefined
}
