import { errorText, type JsonObject } from '../../base/index.ts'
import type { ToolOutput } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'
import type { Tool, ToolCall, ToolContext, ToolSource } from './tool.ts'

/** The tools of a session. Parallel ones share the floor, any other has it alone. */
export class ToolSet implements AsyncDisposable {
  readonly #tools: readonly Tool[]
  readonly #sources: readonly ToolSource[]
  readonly #resources: AsyncDisposable
  #exclusive: Promise<unknown> = Promise.resolve()
  #shared = new Set<Promise<unknown>>()

  /**
   * `resources` are what the tools use (processes); they are closed with the set, and so are the
   * sources.
   */
  constructor(
    tools: readonly Tool[],
    resources: AsyncDisposable,
    sources: readonly ToolSource[] = [],
  ) {
    this.#tools = tools
    this.#resources = resources
    this.#sources = sources
  }

  /**
   * Resolves when the tools of all sources are known, as far as they can be had. Throws
   * `SessionError` `not_started`.
   */
  async ready(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.ready()))
  }

  /** What a request tells the model: functions as they are, those of a namespace together. */
  specs(isOffered: (tool: Tool) => boolean): JsonObject[] {
    const offered = this.#all().filter((tool) => !tool.isDeferred && isOffered(tool))
    const alone = offered.filter((tool) => !tool.namespace).map((tool) => tool.spec)
    const namespaces = Map.groupBy(
      offered.filter((tool) => tool.namespace),
      (tool) => tool.namespace?.name,
    )
    const grouped = [...namespaces].map(([name = '', tools]): JsonObject => {
      const description = tools[0]?.namespace?.description ?? ''
      return { type: 'namespace', name, description, tools: tools.map((tool) => tool.spec) }
    })
    return [...alone, ...grouped]
  }

  /** Runs a call when its turn has come. Throws only the signal's reason and storage failures. */
  async run(call: ToolCall, context: ToolContext): Promise<ToolOutput> {
    const tool = this.#all().find(
      ({ name, namespace }) => name === call.name && namespace?.name === call.namespace,
    )
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
    await using closing = new AsyncDisposableStack()
    for (const source of this.#sources) closing.use(source)
    closing.use(this.#resources)
  }

  #all(): Tool[] {
    return [...this.#tools, ...this.#sources.flatMap((source) => source.tools())]
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
  return `unsupported ${what}: ${call.namespace ?? ''}${call.name}`
}
