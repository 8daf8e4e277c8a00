import { errorText, type JsonObject } from '../../base/index.ts'
import type { ToolOutput } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'
import type { Tool, ToolCall, ToolContext } from './tool.ts'

/** The tools of a session. Parallel ones share the floor, any other has it alone. */
export class ToolSet implements AsyncDisposable {
  readonly #tools: ReadonlyMap<string, Tool>
  readonly #resources: AsyncDisposable
  #exclusive: Promise<unknown> = Promise.resolve()
  #shared = new Set<Promise<unknown>>()

  /** `resources` are what the tools use (processes); they are closed with the set. */
  constructor(tools: readonly Tool[], resources: AsyncDisposable) {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]))
    this.#resources = resources
  }

  specs(isOffered: (tool: Tool) => boolean): JsonObject[] {
    return [...this.#tools.values()].filter(isOffered).map((tool) => tool.spec)
  }

  /** Runs a call when its turn has come. Throws only the signal's reason and storage failures. */
  async run(call: ToolCall, context: ToolContext): Promise<ToolOutput> {
    const tool = this.#tools.get(call.name)
    if (!tool || tool.kind !== call.kind) return unsupported(call)
    const running = this.#whenFree(tool.isParallel(call), () => {
      context.signal.throwIfAborted()
      return tool.run(call, context)
    })
    try {
      return await running
    } catch (error) {
      context.signal.throwIfAborted()
      if (error instanceof SessionError) throw error
      return errorText(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]()
  }

  /** Places are taken in the order of the calls: what is before a call is known when it comes. */
  #whenFree<T>(isParallel: boolean, work: () => Promise<T>): Promise<T> {
    const before = isParallel ? [this.#exclusive] : [this.#exclusive, ...this.#shared]
    const running = Promise.all(before).then(work)
    const settled = running.then(
      () => undefined,
      () => undefined,
    )
    if (isParallel) {
      this.#shared.add(settled)
      void settled.then(() => this.#shared.delete(settled))
    } else this.#exclusive = settled
    return running
  }
}

function unsupported(call: ToolCall): string {
  const what = call.kind === 'custom' ? 'custom tool call' : 'call'
  return `unsupported ${what}: ${call.name}`
}
