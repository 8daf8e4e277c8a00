import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, lstat, mkdir, writeFile } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import * as z from 'zod/mini'
import { errorText, type Json, type JsonObject } from '../../base/index.ts'
import { newThreadId, type ThreadId } from '../../protocol/index.ts'
import { osFailure } from '../os-error.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { optional, texts } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { threadIdOf } from './thread-ids.ts'

const params = z.object({
  classification: z.string(),
  includeLogs: z.boolean(),
  reason: optional(z.string()),
  threadId: optional(z.string()),
  extraLogFiles: optional(texts),
  tags: optional(z.record(z.string(), z.string())),
})
type Feedback = z.output<typeof params>

const upload = method('feedback/upload', () => params)

const FOLDER = 'feedback'
const MOST_FILES = 16
const MOST_FILE_BYTES = 256 * 1024 * 1024
const MOST_REPORT_CHARS = 1024 * 1024

/** Nothing is sent anywhere: a report is kept in a folder of the home, and the answer says so. */
export function feedbackRoutes(context: ServerContext): Route[] {
  return [
    route(upload, async (feedback) => {
      const threadId = feedback.threadId === undefined ? undefined : threadIdOf(feedback.threadId)
      if ((feedback.extraLogFiles?.length ?? 0) > MOST_FILES) {
        throw invalid(`too many extraLogFiles: limit is ${MOST_FILES}`)
      }
      try {
        const folder = await keepReport(context, feedback, threadId)
        return {
          threadId: threadId ?? `no-active-thread-${newThreadId()}`,
          reason: `Nothing was sent: the report is kept in ${folder}`,
        }
      } catch (error) {
        throw osFailure(error)
      }
    }),
  ]
}

async function keepReport(
  context: ServerContext,
  feedback: Feedback,
  threadId: ThreadId | undefined,
): Promise<string> {
  const { classification, reason, tags } = feedback
  const stamp = new Date(context.clock.nowMs()).toISOString().replaceAll(':', '-')
  const folder = join(context.home, FOLDER, `${stamp}-${randomUUID().slice(0, 8)}`)
  const report: JsonObject = {
    classification,
    reason: reason ?? null,
    threadId: threadId ?? null,
    tags: tags ?? {},
    version: context.version,
    createdAtMs: context.clock.nowMs(),
  }
  if (JSON.stringify(report).length > MOST_REPORT_CHARS) throw invalid('the report is too long')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const logs = feedback.includeLogs ? await keepLogs(context, feedback, threadId, folder) : []
  const text = `${JSON.stringify({ ...report, logs }, null, 2)}\n`
  await writeFile(join(folder, 'report.json'), text, { mode: 0o600 })
  return folder
}

/** What was asked for, and what became of each. */
async function keepLogs(
  { store }: ServerContext,
  { extraLogFiles = [] }: Feedback,
  threadId: ThreadId | undefined,
  folder: string,
): Promise<Json[]> {
  // A thread that is not stored has no log, and the report is worth keeping without.
  const thread = threadId && (await store.readThread(threadId).catch(() => undefined))
  const rollout = thread?.rolloutPath ?? undefined
  const wanted = [...(rollout === undefined ? [] : [rollout]), ...extraLogFiles]
  return Promise.all(
    wanted.map(async (path, index): Promise<Json> => {
      const name = `${index}-${basename(path)}`
      try {
        await keepFile(path, join(folder, name))
        return { path, name }
      } catch (error) {
        return { path, error: errorText(error) }
      }
    }),
  )
}

async function keepFile(path: string, kept: string): Promise<void> {
  if (!isAbsolute(path)) throw new Error('the path is not absolute')
  const facts = await lstat(path)
  if (!facts.isFile()) throw new Error('it is no regular file')
  if (facts.size > MOST_FILE_BYTES) throw new Error(`it is over ${MOST_FILE_BYTES} bytes`)
  await copyFile(path, kept, constants.COPYFILE_EXCL)
}
