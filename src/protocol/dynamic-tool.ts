import type { Json } from '../base/index.ts'

/** A tool that a client brings along, and runs itself. */
export interface DynamicToolDefinition {
  readonly namespace?: string
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments, as the client wrote it. */
  readonly inputSchema: Json
  /** Left out of requests, but served when called. */
  readonly deferLoading: boolean
}
