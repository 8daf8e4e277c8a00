import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  applyVerifiedPatch,
  PatchError,
  type PatchFiles,
  resolvePatchPath,
  touchedPaths,
  verifyPatch,
} from './index.ts'

class MemoryFiles implements PatchFiles {
  readonly texts: Map<string, string>
  /** A write or removal of this path fails. */
  readonly broken: string | undefined

  constructor(texts: { [path: string]: string }, broken?: string) {
    this.texts = new Map(Object.entries(texts))
    this.broken = broken
  }

  async readText(path: string): Promise<string> {
    const text = this.texts.get(path)
    if (text === undefined) throw new PatchError('gone')
    return text
  }

  async write(path: string, text: string): Promise<void> {
    if (path === this.broken) throw new Error('disk full')
    this.texts.set(path, text)
  }

  async remove(path: string): Promise<void> {
    if (path === this.broken) throw new Error('busy')
    this.texts.delete(path)
  }

  get all(): { [path: string]: string } {
    return Object.fromEntries(this.texts)
  }
}

function aPatch(...lines: string[]): string {
  return ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
}

const changeA = ['*** Update File: a', '-1', '+2']
const moveA = ['*** Update File: a', '*** Move to: b', '-1', '+2']

describe('verifyPatch', () => {
  it('plans a later hunk on the result of the earlier ones', async () => {
    const files = new MemoryFiles({ '/a': '1\n3\n' })
    const text = aPatch(...changeA, '*** Update File: a', '-3', '+4')
    const { writes } = await verifyPatch(text, '/', files)
    assert.deepEqual(writes, [
      { type: 'write', path: '/a', before: '1\n3\n', content: '2\n3\n' },
      { type: 'write', path: '/a', before: '2\n3\n', content: '2\n4\n' },
    ])
  })

  it('names every path once, both sides of a move', async () => {
    const files = new MemoryFiles({ '/w/a': '1\n' })
    const text = aPatch(...moveA, '*** Add File: /x/../c', '*** Add File: c', '*** Add File: /c')
    const patch = await verifyPatch(text, '/w', files)
    assert.deepEqual(touchedPaths(patch), ['/w/a', '/w/b', '/c', '/w/c'])
  })

  it('reads a leading tilde as the home folder', () => {
    assert.equal(resolvePatchPath('/w', '~/a'), resolvePatchPath(homedir(), 'a'))
    assert.equal(resolvePatchPath('/w', '~a'), '/w/~a')
  })

  it('changes no line but those of the patch', async () => {
    const aLine = fc.stringMatching(/^[a-c ]{0,3}\r?$/)
    const aFile = fc.array(aLine, { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(aFile, aFile, async (head, tail) => {
        const lines = [...head, 'OLD', ...tail, 'last']
        const files = new MemoryFiles({ '/a': `${lines.join('\n')}\n` })
        const patch = await verifyPatch(aPatch('*** Update File: a', '-OLD', '+NEW'), '/', files)
        await applyVerifiedPatch(patch, files)
        const expected = lines.with(head.length, 'NEW')
        assert.equal(files.texts.get('/a'), `${expected.join('\n')}\n`)
      }),
    )
  })
})

describe('applyVerifiedPatch', () => {
  it('keeps an edit made after the patch was verified', async () => {
    const files = new MemoryFiles({ '/a': '1\n' })
    const patch = await verifyPatch(aPatch(...changeA), '/', files)
    files.texts.set('/a', '0\n1\n')
    const outcome = await applyVerifiedPatch(patch, files)
    assert.equal(outcome.success, true)
    assert.deepEqual(files.all, { '/a': '0\n2\n' })
  })

  it('writes nothing when a file has changed too much', async () => {
    const files = new MemoryFiles({ '/a': '1\n' })
    const patch = await verifyPatch(aPatch('*** Add File: n', '+n', ...changeA), '/', files)
    files.texts.set('/a', 'other\n')
    assert.deepEqual(await applyVerifiedPatch(patch, files), {
      success: false,
      stdout: '',
      stderr: 'Failed to find expected lines in /a:\n1\n',
      done: [],
    })
    assert.deepEqual(files.all, { '/a': 'other\n' })
  })

  it('tells what was done before a write failed', async () => {
    const files = new MemoryFiles({ '/a': '1\n' }, '/n')
    const text = aPatch(...changeA, '*** Add File: n', '+n', '*** Add File: o', '+o')
    const outcome = await applyVerifiedPatch(await verifyPatch(text, '/', files), files)
    assert.deepEqual(outcome, {
      success: false,
      stdout: '',
      stderr: 'Failed to write file /n\n',
      done: [{ type: 'write', path: '/a', before: '1\n', content: '2\n' }],
    })
  })

  it('tells of the copy when the original of a move cannot be removed', async () => {
    const files = new MemoryFiles({ '/a': '1\n' }, '/a')
    const outcome = await applyVerifiedPatch(await verifyPatch(aPatch(...moveA), '/', files), files)
    assert.deepEqual(outcome, {
      success: false,
      stdout: '',
      stderr: 'Failed to remove original /a\n',
      done: [{ type: 'write', path: '/b', before: undefined, content: '2\n' }],
    })
  })
})
