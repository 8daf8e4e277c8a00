/** `node stdio-server.ts`: the tool server over standard input and output. */
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { toolServer } from './tool-server.ts'

process.stderr.write('the fake server starts\n')
await toolServer().connect(new StdioServerTransport())
