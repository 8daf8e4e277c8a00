/**
 * Takes out what differs from run to run: scratch paths, ports, ids, times. UUIDs are numbered in
 * the order of their first appearance, so that equal ids stay equal and different ones different.
 */
import type { Json } from '../../src/base/index.ts'
import type { Scratch } from './scratch.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const ISO_TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const TIME_KEYS = new Set([
  'timestamp',
  'started_at',
  'completed_at',
  'completed_at_ms',
  'duration_ms',
  'time_to_first_token_ms',
])

export class Normaliser {
  readonly #root: string
  readonly #ids = new Map<string, string>()

  constructor(scratch: Scratch) {
    this.#root = scratch.root
  }

  value(value: Json): Json {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((item) => this.value(item))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, item]) => {
      const isTime = TIME_KEYS.has(key) && item !== null
      return [this.text(key), isTime ? '<time>' : this.value(item ?? null)]
    })
    return Object.fromEntries(entries) as Json
  }

  text(text: string): string {
    return text
      .replaceAll(this.#root, '<root>')
      .replaceAll(ISO_TIME, '<time>')
      .replaceAll(UUID, (id) => this.#numbered(id))
      .replaceAll(/127\.0\.0\.1:\d+/g, '<server>')
      .replaceAll(/Chunk ID: [0-9a-f]+/g, 'Chunk ID: <chunk>')
      .replaceAll(/Wall time: [\d.]+ seconds/g, 'Wall time: <s> seconds')
      .replaceAll(/session ID \d+/g, 'session ID <session>')
      .replaceAll(/"session_id":(?!999999)\d+/g, '"session_id":<session>')
  }

  #numbered(id: string): string {
    const known = this.#ids.get(id) ?? `<id-${this.#ids.size + 1}>`
    this.#ids.set(id, known)
    return known
  }
}
