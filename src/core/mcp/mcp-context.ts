import type { ToolContext } from '../tools/tool.ts'

/** What a request to a server needs of its surroundings: the server may ask back. */
export type McpContext = Pick<ToolContext, 'clients' | 'settings' | 'signal'>
