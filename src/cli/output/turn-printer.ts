import type { SessionEvent } from '../../protocol/index.ts'
import { printItem } from './item-text.ts'
import { printable, type Terminal } from './terminal.ts'

/**
 * A running turn for a person: what happens as it happens. The model's words go to `answers` as
 * they stream, everything else to `progress`.
 */
export class TurnPrinter {
  readonly #progress: Terminal
  readonly #answers: Terminal
  #streaming: string | undefined
  #cause: string | undefined

  constructor(progress: Terminal, answers: Terminal) {
    this.#progress = progress
    this.#answers = answers
  }

  accept(event: SessionEvent): void {
    switch (event.type) {
      case 'agentMessageDelta':
        this.#streaming = event.itemId
        this.#answers.write(printable(event.delta))
        break
      case 'itemCompleted':
        this.#itemCompleted(event)
        break
      case 'planUpdated':
        for (const { step, status } of event.plan) {
          const mark = { pending: ' ', in_progress: '>', completed: 'x' }[status]
          this.#progress.line(`[${mark}] ${printable(step)}`)
        }
        break
      case 'warning':
        this.#progress.line(this.#progress.style('yellow', `warning: ${printable(event.message)}`))
        break
      case 'error': {
        const { message, additionalDetails, cause } = event.error
        const details = additionalDetails ? ` (${additionalDetails})` : ''
        const text = `${event.willRetry ? '' : 'error: '}${message}${details}`
        this.#progress.line(this.#progress.style('red', printable(text)))
        // The same for each try: it is told once, and again when there is no other.
        const isNews = !event.willRetry || cause !== this.#cause
        if (cause !== undefined && isNews) this.#progress.line(`  cause: ${printable(cause)}`)
        this.#cause = cause
        break
      }
      case 'turnCompleted':
        if (event.status === 'interrupted') this.#progress.line('interrupted')
        break
      default:
        break
    }
  }

  #itemCompleted({ item }: Extract<SessionEvent, { type: 'itemCompleted' }>): void {
    if (item.type === 'agentMessage' && this.#streaming === item.id) {
      this.#streaming = undefined
      this.#answers.line()
    } else if (item.type === 'agentMessage') printItem(this.#answers, item)
    else if (item.type !== 'userMessage') printItem(this.#progress, item)
  }
}
