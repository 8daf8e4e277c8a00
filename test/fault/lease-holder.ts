/**
 * The child of `writer-lease.test.ts`: does what each line of stdin says and answers with one JSON
 * line. Times are those of the system's monotonic clock, which all processes share. Arguments:
 * home, thread id, client.
 */
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { newThreadId, parseThreadId } from '../../src/protocol/index.ts'
import { LeaseHeld, WriterLease } from '../../src/thread-store/local/writer-lease.ts'

const [home = '', id = '', client = ''] = process.argv.slice(2)
const threadId = parseThreadId(id) ?? newThreadId()
let lease: WriterLease | undefined

async function obey(order: string): Promise<object> {
  switch (order) {
    case 'take': {
      lease ??= await WriterLease.take(home, threadId, { client, nowMs: 1_800_000_000_000 })
      return { ownsSince: nowMs() }
    }
    case 'release': {
      const endMs = nowMs()
      await lease?.[Symbol.asyncDispose]()
      lease = undefined
      return { ownedUntil: endMs }
    }
    case 'turn':
      lease?.noteActivity('turn')
      return {}
    default: {
      const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
      child.unref()
      return { childPid: child.pid }
    }
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

for await (const order of createInterface({ input: process.stdin })) {
  const answer = await obey(order).catch((error: unknown) => {
    if (!(error instanceof LeaseHeld)) throw error
    return { refusedBy: error.holder }
  })
  writeSync(1, `${JSON.stringify(answer)}\n`)
}
