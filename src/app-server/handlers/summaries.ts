import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { gitIn, type JsonObject, quoteRustString } from '../../base/index.ts'
import { parseThreadId } from '../../protocol/index.ts'
import { type StoredThread, ThreadStoreError } from '../../thread-store/index.ts'
import { osErrorText } from '../os-error.ts'
import { wireThread } from '../projection/thread.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'

const NO_VARIANT =
  'Invalid request: data did not match any variant of untagged enum GetConversationSummaryParams'

const summary = method('getConversationSummary', () =>
  z.partial(z.object({ rolloutPath: z.unknown(), conversationId: z.unknown() })),
)
const diffToRemote = method('gitDiffToRemote', () => z.object({ cwd: z.string() }))

const MOST_COMMITS = 100
const MOST_NEW_FILES = 1000
const MOST_DIFF_BYTES = 64 * 1024 * 1024
const GIT_LIMIT_MS = 5000

/** What older clients ask for. Source: `app-server.md` 18.1. */
export function summaryRoutes(context: ServerContext): Route[] {
  return [
    route(summary, async ({ rolloutPath, conversationId }) => {
      if (typeof rolloutPath === 'string') {
        return { summary: wireSummary(await readByPath(context, rolloutPath)) }
      }
      const id = typeof conversationId === 'string' ? parseThreadId(conversationId) : undefined
      if (!id) throw invalid(NO_VARIANT)
      const stored = await context.store.readThread(id).catch((error: unknown) => {
        if (isMissing(error)) throw invalid(`no rollout found for conversation id ${id}`)
        throw error
      })
      return { summary: wireSummary(stored) }
    }),
    route(diffToRemote, async ({ cwd }, { connection }) => {
      const found = await diffOf(resolve(context.cwd, cwd), connection.closed)
      if (found) return found
      throw invalid(`failed to compute git diff to remote for cwd: ${quoteRustString(cwd)}`)
    }),
  ]
}

async function readByPath({ store, home }: ServerContext, path: string): Promise<StoredThread> {
  const rolloutPath = resolve(home, path)
  try {
    await stat(rolloutPath)
  } catch (error) {
    throw invalid(`failed to resolve rollout path \`${path}\`: ${osErrorText(error)}`)
  }
  return store.readThread({ rolloutPath })
}

function isMissing(error: unknown): boolean {
  return error instanceof ThreadStoreError && error.failure.code === 'thread_not_found'
}

function wireSummary(stored: StoredThread): JsonObject {
  const { id, path, preview, modelProvider, cwd, cliVersion, source } = wireThread(stored, {
    status: { type: 'notLoaded' },
  })
  const { git, createdAtMs, updatedAtMs } = stored
  return {
    conversationId: id,
    path,
    preview,
    timestamp: new Date(createdAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs).toISOString(),
    modelProvider,
    cwd,
    cliVersion,
    source,
    gitInfo: git && {
      sha: git.commit_hash ?? null,
      branch: git.branch ?? null,
      origin_url: git.repository_url ?? null,
    },
  }
}

/** The last commit that a remote has, and what differs from it, files that are new included. */
async function diffOf(cwd: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  const git = gitIn(cwd, signal)
  const commits = await git('rev-list', `--max-count=${MOST_COMMITS}`, 'HEAD')
  const outside = await git('rev-list', `--max-count=${MOST_COMMITS}`, 'HEAD', '--not', '--remotes')
  if (!commits || outside === undefined || !(await git('branch', '--remotes'))) return undefined
  const own = new Set(outside.split('\n'))
  const sha = commits.split('\n').find((commit) => !own.has(commit))
  if (sha === undefined) return undefined
  const tracked = await diff(cwd, [sha], signal)
  const others = await git('ls-files', '-z', '--others', '--exclude-standard')
  if (tracked === undefined || others === undefined) return undefined
  const parts = [tracked]
  const names = others.split('\0').filter((name) => name !== '')
  for (const name of names.slice(0, MOST_NEW_FILES)) {
    parts.push((await diff(cwd, ['--no-index', '--', '/dev/null', name], signal)) ?? '')
  }
  return { sha, diff: parts.join('') }
}

/** Undefined when git fails, takes too long or says too much. */
function diff(
  cwd: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const plain = ['--no-optional-locks', 'diff', '--no-textconv', '--no-ext-diff', '--no-color']
  const options = { cwd, signal, timeout: GIT_LIMIT_MS, maxBuffer: MOST_DIFF_BYTES }
  return new Promise((done) => {
    execFile('git', [...plain, ...args], options, (error, text) => {
      // Without an index git answers 1 when there is a difference.
      done(!error || error.code === 1 ? text : undefined)
    })
  })
}
