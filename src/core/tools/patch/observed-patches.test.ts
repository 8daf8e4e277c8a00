// Every line of observed-patches.jsonl is what Codex 0.133.0 did with a patch. `@/` stands for the
// case's folder below the working directory, `$/` for its absolute path, `%/` for the latter.

import assert from 'node:assert/strict'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { FileChangeRecord } from '../../../protocol/index.ts'
import {
  applyVerifiedPatch,
  extractShellPatch,
  nodePatchFiles,
  PatchError,
  resolvePatchPath,
  verifyPatch,
} from './index.ts'

type FileFacts = string | { text?: string; hex?: string; mode?: number; link?: string }
type Tree = { [path: string]: FileFacts }

interface Result {
  error?: string
  stdout?: string
  stderr?: string
  changes?: { [path: string]: FileChangeRecord }
  after: Tree
}

interface Observed extends Result {
  name: string
  before: Tree
  patch?: string
  cmd?: string
  result?: 'not intercepted'
}

const MISSING = 'No such file or directory (os error 2)'
const FAILED = 'apply_patch verification failed: '

/** Where we differ on purpose: Codex loses text there, or leaves half of a patch done. */
const OURS: { [name: string]: Partial<Result> } = {
  'move to itself': { after: { 'a.txt': 'z\ny\n' } },
  'addition inside a removed blank': {
    after: { 'a.txt': 'q\nz\n' },
    changes: {
      '$/a.txt': {
        type: 'update',
        unified_diff: '@@ -1,2 +1,2 @@\n-x\n-\n+q\n+z\n',
        move_path: null,
      },
    },
  },
  'overlap through end of file': {
    error: `${FAILED}Failed to find expected lines in $/a.txt:\nx`,
    after: { 'a.txt': 'x\n' },
  },
  'overlap two lines through end of file': {
    error: `${FAILED}Failed to find expected lines in $/a.txt:\nb\nc`,
    after: { 'a.txt': 'a\nb\nc\n' },
  },
  'delete then update': {
    error: `${FAILED}Failed to read file to update $/a.txt: ${MISSING}`,
    after: { 'a.txt': 'old\n' },
  },
  'delete twice': {
    error: `${FAILED}Failed to read $/a.txt: ${MISSING}`,
    after: { 'a.txt': 'old\n' },
  },
  'delete then delete, after write': {
    error: `${FAILED}Failed to read $/a.txt: ${MISSING}`,
    after: { 'a.txt': 'x\n', 'b.txt': 'x\n' },
  },
  'apply-time failure of the second update': {
    error: `${FAILED}Failed to find expected lines in $/a.txt:\nx`,
    after: { 'a.txt': 'x\ny\n' },
  },
  'two moves swap': {
    error: `${FAILED}Failed to find expected lines in $/b.txt:\nB`,
    after: { 'a.txt': 'A\n', 'b.txt': 'B\n' },
  },
}

/** Odd commands that Codex intercepts, some of them with a folder it misreads. */
const LEFT_TO_THE_SHELL = new Set([
  'shell: cd sp esc',
  'shell: cd dq expansion',
  'shell: assign',
  'shell: stdin dash',
  'shell: line continuation',
])

// The modes in the tree are those of files made with this mask.
process.umask(0o022)
const root = await fs.mkdtemp(join(tmpdir(), 'bobbin-patch-'))
after(() => fs.rm(root, { recursive: true }))

async function writeTree(folder: string, tree: Tree): Promise<void> {
  for (const [path, facts] of Object.entries(tree)) {
    const file = join(folder, path)
    await fs.mkdir(dirname(file), { recursive: true })
    const { text, hex, mode, link } = typeof facts === 'string' ? { text: facts } : facts
    if (link !== undefined) {
      await fs.symlink(link, file)
      continue
    }
    await fs.writeFile(file, hex === undefined ? (text ?? '') : Buffer.from(hex, 'hex'))
    if (mode !== undefined) await fs.chmod(file, mode)
  }
}

async function readTree(folder: string): Promise<Tree> {
  const tree: Tree = {}
  for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const path = file.slice(folder.length + 1)
    if (entry.isSymbolicLink()) tree[path] = { link: await fs.readlink(file) }
    if (entry.isFile()) tree[path] = await readFacts(file)
  }
  return tree
}

async function readFacts(file: string): Promise<FileFacts> {
  const bytes = await fs.readFile(file)
  const text = bytes.toString('utf8')
  const mode = (await fs.stat(file)).mode & 0o777
  const content = Buffer.from(text).equals(bytes) ? { text } : { hex: bytes.toString('hex') }
  if (mode !== 0o644) return { ...content, mode }
  return content.text ?? content
}

async function runPatch(observed: Observed, cwd: string): Promise<Omit<Result, 'after'>> {
  const spell = (text: string): string => text.replaceAll('@/', 'c/').replaceAll('$/', `${cwd}/c/`)
  try {
    const shell = extractShellPatch(spell(observed.cmd ?? ''))
    const workdir = resolvePatchPath(cwd, shell?.workdir ?? '.')
    const text = shell?.patch ?? spell(observed.patch ?? '')
    const patch = await verifyPatch(text, workdir, nodePatchFiles)
    const { stdout, stderr } = await applyVerifiedPatch(patch, nodePatchFiles)
    return { stdout, stderr, changes: patch.changes }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    return { error: error.modelText }
  }
}

describe('observed patches', async () => {
  const url = new URL('./observed-patches.jsonl', import.meta.url)
  const lines = (await fs.readFile(url, 'utf8')).trimEnd().split('\n')
  for (const [index, line] of lines.entries()) {
    const observed: Observed = JSON.parse(line)
    const { name, cmd } = observed
    it(name, async () => {
      if (cmd && (observed.result || LEFT_TO_THE_SHELL.has(name))) {
        assert.equal(extractShellPatch(cmd), undefined)
        return
      }
      const cwd = join(root, String(index))
      await fs.mkdir(join(cwd, 'c'), { recursive: true })
      await writeTree(join(cwd, 'c'), observed.before)
      const result = await runPatch(observed, cwd)
      const shown = JSON.parse(
        JSON.stringify(result).replaceAll(`${cwd}/c/`, '$/').replaceAll(`${cwd}/`, '%/'),
      )
      const spelled = JSON.parse(JSON.stringify(shown).replaceAll('c/', '@/'))
      const expected = expectedResult(observed)
      assert.deepEqual({ ...spelled, after: await readTree(join(cwd, 'c')) }, expected)
    })
  }
})

function expectedResult({ error, stdout, stderr, changes, after, name }: Observed): Result {
  const ours = OURS[name] ?? {}
  const result =
    error !== undefined || ours.error !== undefined ? { error } : { stdout, stderr, changes }
  return JSON.parse(JSON.stringify({ ...result, after, ...ours }))
}
