import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { applyVerifiedPatch, nodePatchFiles, verifyPatch } from '../tools/patch/index.ts'
import { TurnDiff } from './turn-diff.ts'

const NO_BLOB = '0'.repeat(40)
const ONE = '5626abf0f72e58d7a153368ba57db4c673c0e171'
const TWO = 'f719efd430d52bcfc8566a43b2eb655688d38871'

class Lab implements AsyncDisposable {
  readonly #folder: TempFolder
  readonly diff: TurnDiff

  private constructor(folder: TempFolder) {
    this.#folder = folder
    this.diff = new TurnDiff(folder.at('work', 'deep'))
  }

  static async open(): Promise<Lab> {
    const folder = await TempFolder.create()
    await mkdir(folder.at('work', '.git'), { recursive: true })
    await mkdir(folder.at('work', 'deep'))
    return new Lab(folder)
  }

  at(path: string): string {
    return this.#folder.at('work', 'deep', path)
  }

  /** Applies a patch, and answers what is told of it. */
  async patch(...lines: readonly string[]): Promise<string | undefined> {
    const text = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
    const patch = await verifyPatch(text, this.at('.'), nodePatchFiles)
    const note = await this.diff.expect(patch)
    note(await applyVerifiedPatch(patch, nodePatchFiles))
    return this.diff.takeUpdate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]()
  }
}

describe('the diff of a turn', () => {
  it('is what git would show, from its root, and is told as long as there is one', async () => {
    await using lab = await Lab.open()
    assert.equal(lab.diff.takeUpdate(), undefined)
    const added =
      'diff --git a/deep/a b/deep/a\nnew file mode 100644\n' +
      `index ${NO_BLOB}..${ONE}\n--- /dev/null\n+++ b/deep/a\n@@ -0,0 +1 @@\n+one\n`
    assert.equal(await lab.patch('*** Add File: a', '+one'), added)
    assert.equal(lab.diff.takeUpdate(), added)
    assert.equal(await lab.patch('*** Delete File: a'), '')
    assert.equal(lab.diff.takeUpdate(), undefined)
  })

  it('goes from what was there before the turn to what is there now', async () => {
    await using lab = await Lab.open()
    await writeFile(lab.at('a'), 'one\n')
    await chmod(lab.at('a'), 0o755)
    const first = await lab.patch('*** Update File: a', '@@', '-one', '+1')
    assert.match(first ?? '', /^-one\n\+1\n/m)
    const moved = await lab.patch('*** Update File: a', '*** Move to: ../b', '@@', '-1', '+two')
    assert.equal(
      moved,
      `diff --git a/deep/a b/b\nindex ${ONE}..${TWO}\n--- a/deep/a\n+++ b/b\n` +
        '@@ -1 +1 @@\n-one\n+two\n',
    )
  })

  it('shows a move over a file as what became of both', async () => {
    await using lab = await Lab.open()
    await writeFile(lab.at('a'), 'one\n')
    await writeFile(lab.at('b'), 'two\n')
    const text = await lab.patch('*** Update File: a', '*** Move to: b', '@@', '-one', '+two')
    assert.equal(
      text,
      `diff --git a/deep/a b/deep/a\ndeleted file mode 100644\nindex ${ONE}..${NO_BLOB}\n` +
        '--- a/deep/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n',
    )
  })

  it('has the whole path of a file outside of the work tree', async () => {
    await using lab = await Lab.open()
    const path = lab.at('../../outer')
    const text = await lab.patch(`*** Add File: ${path}`, '+one')
    assert.match(text ?? '', new RegExp(`^diff --git a/${path} b/${path}\n`))
  })

  it('is withdrawn for good once a change cannot be told', async () => {
    await using lab = await Lab.open()
    await writeFile(lab.at('target'), 'one\n')
    await symlink('target', lab.at('link'))
    await writeFile(lab.at('bytes'), Buffer.from([0xff]))
    assert.ok(await lab.patch('*** Add File: a', '+one'))
    assert.equal(await lab.patch('*** Update File: link', '@@', '-one', '+two'), '')
    assert.equal(await readFile(lab.at('target'), 'utf8'), 'two\n')
    assert.equal(await lab.patch('*** Add File: b', '+one'), undefined)
    await using other = await Lab.open()
    await writeFile(other.at('bytes'), Buffer.from([0xff]))
    assert.equal(await other.patch('*** Add File: bytes', '+one'), undefined)
    assert.equal(await other.patch('*** Add File: b', '+one'), undefined)
  })

  it('is withdrawn when a patch fails while it is written', async () => {
    await using lab = await Lab.open()
    await writeFile(lab.at('file'), 'one\n')
    assert.ok(await lab.patch('*** Update File: file', '@@', '-one', '+two'))
    assert.equal(await lab.patch('*** Add File: file/under', '+one'), '')
    assert.equal(await lab.patch('*** Add File: c', '+one'), undefined)
  })
})
