/** A PostgreSQL server of npm's binaries, with its default settings, on a Unix socket alone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgresProgram } from './install.ts'

const USER = 'bench'
const START_LIMIT_MS = 30_000

/** It refuses to run as root: then it runs as the owner of nothing. */
const NOBODY = 65534

export class PostgresServer implements AsyncDisposable {
  readonly url: string
  readonly #place: string
  readonly #child: ReturnType<typeof spawn>

  private constructor(place: string, child: ReturnType<typeof spawn>) {
    this.url = `postgresql://${USER}@/postgres?host=${encodeURIComponent(place)}`
    this.#place = place
    this.#child = child
  }

  /** Throws what the programs say when they fail. */
  static async start(): Promise<PostgresServer> {
    const place = await mkdtemp(join(tmpdir(), 'bobbin-bench-postgres-'))
    const isRoot = process.getuid?.() === 0
    if (isRoot) await chown(place, NOBODY, NOBODY)
    const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
    const run = (name: 'initdb' | 'postgres', args: readonly string[]) => {
      return spawn(postgresProgram(name), args, { cwd: place, stdio: 'pipe', ...identity })
    }
    const data = join(place, 'data')
    await ended(run('initdb', ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8']))
    const server = run('postgres', ['-D', data, '-k', place, '-c', 'listen_addresses='])
    await ready(server, join(place, '.s.PGSQL.5432'))
    return new PostgresServer(place, server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const closed = once(this.#child, 'close')
      this.#child.kill('SIGINT')
      await closed
    }
    await rm(this.#place, { recursive: true, force: true })
  }
}

type Child = ReturnType<typeof spawn>

async function ended(child: Child): Promise<void> {
  const said = heard(child)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${said()}`)
}

async function ready(child: Child, socket: string): Promise<void> {
  const said = heard(child)
  const untilMs = performance.now() + START_LIMIT_MS
  while (performance.now() < untilMs && child.exitCode === null) {
    const isThere = await stat(socket).then(
      () => true,
      () => false,
    )
    if (isThere && said().includes('ready to accept connections')) return
    await new Promise((done) => setTimeout(done, 20))
  }
  child.kill('SIGKILL')
  throw new Error(`postgres did not start: ${said()}`)
}

function heard(child: Child): () => string {
  let text = ''
  child.stdout?.resume()
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + String(chunk)).slice(-4000)
  })
  return () => text
}
