/** An MCP server as others write them, with a tool for each thing that a client has to stand. */
import { ProtocolError, Server } from '@modelcontextprotocol/server'

/** One black pixel. */
export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const HARMLESS = { readOnlyHint: true }
const NO_INPUT = { type: 'object' } as const

interface Listed {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown }
  readonly annotations?: { readonly [hint: string]: boolean }
}

const TOOLS: readonly Listed[] = [
  {
    name: 'echo',
    description: 'Says it again.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
    annotations: HARMLESS,
  },
  { name: 'plain', inputSchema: NO_INPUT },
  { name: 'write', title: 'Write', description: 'Writes.', inputSchema: NO_INPUT },
  { name: 'structured', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'picture', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'fails', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'refuses', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'large', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'never', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'cancelled', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'ask', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'ask page', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'grow', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'surroundings', inputSchema: NO_INPUT, annotations: HARMLESS },
  { name: 'exit', inputSchema: NO_INPUT, annotations: HARMLESS },
]

const text = (value: string) => ({ type: 'text' as const, text: value })
const said = (value: string) => ({ content: [text(value)] })

const FORM = {
  type: 'object' as const,
  properties: { name: { type: 'string' as const } },
  required: ['name'],
}

/** `pageSize`: tools of one page of the list. */
export function toolServer(pageSize = 4): Server {
  const server = new Server(
    { name: 'fake', version: '1' },
    {
      capabilities: { tools: { listChanged: true }, resources: {} },
      instructions: 'Use the fake server with care.',
    },
  )
  const tools: Listed[] = [...TOOLS]
  let cancelled = 0
  server.setRequestHandler('tools/list', ({ params }) => {
    const from = Number(params?.cursor ?? 0)
    const to = from + pageSize
    const more = to < tools.length ? { nextCursor: String(to) } : {}
    return { tools: tools.slice(from, to) as never, ...more }
  })
  server.setRequestHandler('resources/list', () => ({
    resources: [{ uri: 'file:///a', name: 'a', mimeType: 'text/plain' }],
  }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'file:///{x}', name: 'any' }],
  }))
  server.setRequestHandler('resources/read', ({ params: { uri } }) => {
    if (uri === 'file:///a') return { contents: [{ uri, mimeType: 'text/plain', text: 'of a' }] }
    throw new ProtocolError(-32002, 'no such resource', { uri })
  })
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    switch (params.name) {
      case 'echo':
        return said(String(params.arguments?.text))
      case 'structured':
        return { content: [text('{"a":1}')], structuredContent: { a: 1 }, _meta: { k: 'v' } }
      case 'picture':
        return {
          content: [text('see'), { type: 'image', data: PIXEL, mimeType: 'image/png' }],
        }
      case 'fails':
        return { ...said('it failed'), isError: true }
      case 'refuses':
        throw new ProtocolError(-32603, 'it broke', { why: 1 })
      case 'large':
        return said('x'.repeat(60_000))
      case 'never':
        mcpReq.signal.addEventListener('abort', () => {
          cancelled += 1
        })
        return await new Promise<never>(() => undefined)
      case 'cancelled':
        return said(String(cancelled))
      case 'ask': {
        const answer = await server.elicitInput({ message: 'Your name?', requestedSchema: FORM })
        return said(JSON.stringify(answer))
      }
      case 'ask page': {
        const page = {
          mode: 'url',
          message: 'Log in',
          url: 'https://example.invalid/login',
        } as const
        const answer = await server.elicitInput({ ...page, elicitationId: 'e1' })
        return said(JSON.stringify(answer))
      }
      case 'grow':
        tools.push({ name: `grown ${tools.length}`, inputSchema: NO_INPUT })
        await server.sendToolListChanged()
        return said('grown')
      case 'surroundings':
        return said(JSON.stringify({ env: process.env, cwd: process.cwd(), pid: process.pid }))
      case 'exit':
        process.exit(3)
    }
    return said(`ok ${params.name}`)
  })
  return server
}
