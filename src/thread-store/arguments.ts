import {
  aFlag,
  aFunction,
  aNumber,
  anAbortSignal,
  anAbsolutePath,
  anAmount,
  anObject,
  aText,
  listOf,
  maybe,
  members,
  mustBe,
  nullOr,
  oneOf,
  onlyMembers,
  type Shape,
  someWords,
} from '../base/index.ts'
import { MEMORY_MODES, parseThreadId } from '../protocol/index.ts'
import { DURABILITY_LEVELS } from '../rollout/index.ts'
import { ThreadStoreError } from './errors.ts'
import type { ThreadStore } from './store.ts'

/** Of a thread that is to be made: of others any text is asked for, and found or not. */
const aNewThreadId = mustBe('a thread id (newThreadId() makes one)', (value) => {
  return typeof value === 'string' && parseThreadId(value) === value
})

const anIdOrPath = mustBe('a thread id, or { rolloutPath }', (value) => {
  return typeof value === 'string'
})

const aThreadRef: Shape = (value, name) => {
  const isPath = typeof value === 'object' && value !== null
  return (isPath ? members({ rolloutPath: someWords }) : anIdOrPath)(value, name)
}

const aTextOrTexts: Shape = (value, name) =>
  (Array.isArray(value) ? listOf(nullOr(aText)) : aText)(value, name)

const aSource: Shape = (value, name) =>
  typeof value === 'string' ? undefined : anObject(value, name)

const aPatch = onlyMembers({
  name: maybe(nullOr(aText)),
  memoryMode: maybe(oneOf(MEMORY_MODES)),
  goal: maybe(nullOr(anObject)),
  git: maybe(
    onlyMembers({
      sha: maybe(nullOr(aText)),
      branch: maybe(nullOr(aText)),
      originUrl: maybe(nullOr(aText)),
    }),
  ),
})

/** However few are asked for, a page has one. */
const A_PAGE = { limit: aNumber, cursor: maybe(aText) }
const A_PART = { ...A_PAGE, threadId: aText, isRunning: maybe(aFlag) }
const aDirection = oneOf(['asc', 'desc'])
const THREAD_ID = { threadId: aText }

/** What the methods of a store take, in order, by the names that their types give. */
const ARGUMENTS = {
  createThread: {
    params: members({
      threadId: aNewThreadId,
      createdAtMs: anAmount,
      header: aFunction,
      onNotice: maybe(aFunction),
    }),
  },
  resumeThread: {
    ...THREAD_ID,
    options: maybe(members({ rolloutPath: maybe(someWords), onNotice: maybe(aFunction) })),
  },
  appendItems: { ...THREAD_ID, items: listOf(members({ type: aText, payload: anObject })) },
  recordObserved: { ...THREAD_ID, facts: anObject },
  flushThread: THREAD_ID,
  closeThread: THREAD_ID,
  discardThread: THREAD_ID,
  hasForeignItems: THREAD_ID,
  loadHistory: { thread: aThreadRef },
  loadModelContext: THREAD_ID,
  readThread: { thread: aThreadRef },
  listThreads: {
    params: members({
      ...A_PAGE,
      sortKey: oneOf(['created', 'updated']),
      direction: maybe(aDirection),
      isArchived: aFlag,
      cwd: maybe(aTextOrTexts),
      projectRoot: maybe(aText),
      source: maybe(aTextOrTexts),
      modelProvider: maybe(aTextOrTexts),
      branch: maybe(aText),
      text: maybe(aText),
      exactText: maybe(aText),
      updatedSinceMs: maybe(anAmount),
      includeSubagents: aFlag,
      onProgress: maybe(aFunction),
    }),
  },
  searchThreads: {
    params: members({
      ...A_PAGE,
      query: aText,
      isArchived: maybe(aFlag),
      cwd: maybe(aText),
      includeSubagents: aFlag,
      onProgress: maybe(aFunction),
      signal: maybe(anAbortSignal),
    }),
  },
  listTurns: { params: members({ ...A_PART, direction: aDirection }) },
  listItems: { params: members({ ...A_PART, direction: aDirection, turnId: maybe(aText) }) },
  persistThread: THREAD_ID,
  updateThreadMetadata: { ...THREAD_ID, patch: aPatch },
  forkThread: {
    params: members({
      sourceId: aText,
      threadId: aNewThreadId,
      createdAtMs: anAmount,
      throughTurnId: maybe(aText),
      origin: members({ originator: aText, cli_version: aText, source: aSource }),
    }),
  },
  archiveThread: THREAD_ID,
  unarchiveThread: THREAD_ID,
  deleteThread: THREAD_ID,
  LocalThreadStore: {
    options: members({
      home: anAbsolutePath,
      files: maybe(members({ openForRead: aFunction })),
      clock: maybe(members({ nowMs: aFunction })),
      durability: maybe(oneOf(DURABILITY_LEVELS)),
      client: maybe(aText),
    }),
  },
  InMemoryThreadStore: { clock: members({ nowMs: aFunction }) },
} as const satisfies {
  readonly [method in keyof Omit<ThreadStore, symbol | 'livePath'> | StoreName]: {
    readonly [name: string]: Shape
  }
}

type StoreName = 'LocalThreadStore' | 'InMemoryThreadStore'

/**
 * For callers whose compiler has not looked: throws `invalid_request`, which names the argument and
 * what it has to be, before anything is done.
 */
export function checkArguments(call: keyof typeof ARGUMENTS, ...values: readonly unknown[]): void {
  for (const [index, [name, shape]] of Object.entries<Shape>(ARGUMENTS[call]).entries()) {
    const fault = shape(values[index], name)
    if (fault === undefined) continue
    throw new ThreadStoreError({ code: 'invalid_request', reason: `${call}: ${fault}` })
  }
}
