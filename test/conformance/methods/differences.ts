/**
 * Where answers of methods differ from real Codex's, by name. Those of what a turn tells and keeps
 * are in `session/differences.ts`.
 */
export interface MethodDifference {
  /** What real Codex does, and what Bobbin does. */
  readonly what: string
  readonly reason: string
  /** Whether somebody gains by it. */
  readonly isBetter: boolean
}

export const METHOD_DIFFERENCES = {
  'value-words': {
    what: 'with which words a value in `config.toml` is refused',
    reason: 'they name the file, the key and what it must be',
    isBetter: true,
  },
  'config-layers': {
    what: "Codex spells out keys that nobody has set, and layers that are empty; Bobbin the home's",
    reason: "only the home's file is a layer in Bobbin",
    isBetter: false,
  },
  'model-texts': {
    what: 'how models are described, and which is the default',
    reason: 'Bobbin describes them in words of its own; the default is what it runs',
    isBetter: false,
  },
  'feature-texts': {
    what: 'how features are described',
    reason: 'Bobbin describes them in words of its own',
    isBetter: false,
  },
  'search-git': {
    what: 'Codex finds files in `.git`, Bobbin leaves them out',
    reason: 'nobody looks for them',
    isBetter: true,
  },
  'updated-time': {
    what:
      '`updatedAt` of a stored thread: Codex takes it now from the file, now from its database, ' +
      'which does not know of names and git facts; in Bobbin it is the last change of the file',
    reason: 'one time for one thread',
    isBetter: true,
  },
  'created-time': {
    what:
      '`createdAt` of a stored thread: Codex takes it now from the log, now from its database, a ' +
      'second apart at times',
    reason: 'one time for one thread: that of the header',
    isBetter: true,
  },
  'forked-from': {
    what: 'Codex forgets `forkedFromId` in lists and on the way out of the archive',
    reason: 'it is in the header',
    isBetter: true,
  },
  'git-of-header': {
    what: 'on the way out of the archive Codex tells the git facts of the first header',
    reason: 'Bobbin tells what was set since',
    isBetter: true,
  },
  'thread-source': {
    what: 'Codex writes `threadSource` into the logs of `codex exec`, and does not read it there',
    reason: 'Bobbin reads it',
    isBetter: true,
  },
  'list-places': {
    what: 'cursors of lists: Codex names the time, Bobbin the thread too',
    reason: 'threads of one time are not lost between two pages',
    isBetter: true,
  },
  'user-agent': {
    what: 'how the program and the system are named in the `userAgent` of the handshake',
    reason: 'each says what it is; the form is the same',
    isBetter: false,
  },
  'item-words': {
    what: 'what an item lacks that has a type: Codex says it, Bobbin that it is no valid item',
    reason: 'Bobbin has no schemas of all items',
    isBetter: false,
  },
  'start-words': {
    what: 'why an MCP server could not be started, in the words of the system',
    reason: 'each program says what its own library tells it',
    isBetter: false,
  },
  'server-started-again': {
    what: 'an MCP server that has ended: Codex refuses all further calls, Bobbin starts it again',
    reason: 'the next call may work',
    isBetter: true,
  },
  'exec-config': {
    what:
      'what `command/exec` may do where the client does not say it: Codex goes by the ' +
      'configuration as its process has started with, Bobbin as it is now',
    reason: 'threads go by it as it is now in both',
    isBetter: true,
  },
  'newer-items': {
    what: 'of answers of 0.169.0: who said what in which turn is compared, and where pages end',
    reason: 'its items have ids and members of their own',
    isBetter: false,
  },
} as const satisfies { readonly [id: string]: MethodDifference }

export type MethodDifferenceId = keyof typeof METHOD_DIFFERENCES
