import type { Readable, Writable } from 'node:stream'
import { type Clock, errorText } from '../../base/index.ts'
import type { ClientPort } from '../app-server.ts'
import { BoundedWire } from './bounded-wire.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Serving, Transport, TransportEnd } from './transport.ts'

const FLUSH_LIMIT_MS = 2000

export interface StdioOptions {
  readonly serving: Serving
  readonly input: Readable
  /** Gets the protocol and nothing else. */
  readonly output: Writable
  readonly clock: Clock
}

/** One client, a JSON text a line. It ends with its input, and when its output is not read. */
export class StdioTransport implements Transport {
  readonly ended: Promise<TransportEnd>
  readonly #options: StdioOptions
  readonly #wire: BoundedWire
  readonly #end: (end: TransportEnd) => void
  readonly #port: ClientPort
  #closing: Promise<void> | undefined

  constructor(options: StdioOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<TransportEnd>()
    this.ended = promise
    this.#end = resolve
    this.#wire = this.#openWire()
    this.#port = options.serving.connect(this.#wire)
    this.#read()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #openWire(): BoundedWire {
    const { input, output } = this.#options
    output.on('error', (error) => {
      this.#wire.end()
      this.#end({ reason: `standard output: ${errorText(error)}`, isFailure: false })
    })
    return new BoundedWire({
      // Whatever became of it, it waits no more: an error is told by the stream.
      write: (text, sent) => void output.write(`${text}\n`, () => sent()),
      get waitingBytes() {
        return output.writableLength
      },
      pauseInput: () => void input.pause(),
      resumeInput: () => void input.resume(),
      overflow: (reason) => {
        this.#end({ reason: `the client does not read: ${reason}`, isFailure: true })
      },
    })
  }

  #read(): void {
    const { input, serving } = this.#options
    const lines = new LineSplitter({
      onLine: (text) => this.#port.receive(text),
      onFault: (reason, text) => {
        serving.log(`standard input: ${reason}`)
        this.#port.refuse(reason, text)
      },
    })
    const end = (reason: string) => {
      lines.end()
      this.#end({ reason, isFailure: false })
    }
    input.on('data', (chunk: Buffer) => lines.push(chunk))
    input.once('end', () => end('standard input has ended'))
    input.once('error', (error) => end(`standard input: ${errorText(error)}`))
  }

  async #close(): Promise<void> {
    const { input, output, clock } = this.#options
    const flushing = new AbortController()
    const late = clock.sleep(FLUSH_LIMIT_MS, flushing.signal).catch(() => undefined)
    // An error means that nobody reads: there is nothing to wait for.
    const flushed = new Promise<void>((done) => void output.write('', () => done()))
    await Promise.race([flushed, late])
    flushing.abort()
    this.#wire.end()
    this.#port.close()
    input.destroy()
  }
}
