/** What this machine takes for the least that every program of this kind does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sqlite } from '../test/support/sqlite.ts'
import { interleavedSection, type Row, type Section } from './measure.ts'
import { SeededText } from './seeded-text.ts'

const BATCH_BYTES = 9_000
const SQLITE_ROWS = 10_000
const JSON_LINES = 1_000

class Machine implements Disposable, AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bobbin-bench-machine-'))
  readonly #file = openSync(join(this.#folder, 'file'), 'a')
  readonly #database = new Sqlite(join(this.#folder, 'database.sqlite'))
  readonly #batch = Buffer.alloc(BATCH_BYTES, 'x')
  readonly #lines: readonly string[]

  constructor() {
    const text = new SeededText(5)
    this.#lines = Array.from({ length: JSON_LINES }, () => {
      return JSON.stringify({ type: 'response_item', payload: { output: text.prose(900) } })
    })
    this.#database.pragma('journal_mode = WAL')
    this.#database.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, summary TEXT NOT NULL)')
    const insert = this.#database.prepare('INSERT INTO rows (summary) VALUES (?)')
    this.#database.exec('BEGIN')
    for (let n = 0; n < SQLITE_ROWS; n += 1) insert.run(this.#lines[n % JSON_LINES] ?? '')
    this.#database.exec('COMMIT')
  }

  write(): void {
    writeSync(this.#file, this.#batch)
  }

  sync(): void {
    this.write()
    fdatasyncSync(this.#file)
  }

  parse(): void {
    for (const line of this.#lines) JSON.parse(line)
  }

  select(): void {
    this.#database.prepare('SELECT summary FROM rows ORDER BY id DESC LIMIT 25').all()
  }

  [Symbol.dispose](): void {
    this.#database.close()
    closeSync(this.#file)
    rmSync(this.#folder, { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }
}

/** From the start of a bare Node to its answer to a line. */
export async function startNode(): Promise<number> {
  const fromMs = performance.now()
  const answer = 'process.stdin.once("data", () => process.stdout.write("there"))'
  const child = spawn(process.execPath, ['-e', answer], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write('\n')
  await once(child.stdout, 'data')
  const ms = performance.now() - fromMs
  child.stdin.end()
  await once(child, 'close')
  return ms
}

export function machineSection(count: number): Section {
  const row = (name: string, work: (machine: Machine) => void): Row<Machine> => ({
    name,
    unit: 'ms',
    count,
    warmUp: 5,
    take: {
      floor: async (machine) => {
        const fromMs = performance.now()
        work(machine)
        return performance.now() - fromMs
      },
    },
  })
  return interleavedSection(
    async () => new Machine(),
    [
      row('machine: write of 9 kB', (machine) => machine.write()),
      row('machine: the same and fdatasync', (machine) => machine.sync()),
      row('machine: JSON.parse of 1000 lines, 1 MB', (machine) => machine.parse()),
      row('machine: 25 of 10000 rows from SQLite', (machine) => machine.select()),
    ],
  )
}
