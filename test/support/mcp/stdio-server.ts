/** `node stdio-server.ts [tools a page]`: the tool server over standard input and output. */
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { toolServer } from './tool-server.ts'

process.stderr.write('the fake server starts\n')
const [, , pageSize] = process.argv
await toolServer(pageSize === undefined ? undefined : Number(pageSize)).connect(
  new StdioServerTransport(),
)
