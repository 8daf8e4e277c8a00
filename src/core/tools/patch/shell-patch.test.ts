import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extractShellPatch } from './shell-patch.ts'

const body = '*** Begin Patch\n*** Add File: a\n+$x `y` \\z\n*** End Patch'

describe('extractShellPatch', () => {
  it('takes the patch as it stands, quoted word or not', () => {
    for (const word of ["'EOF'", '"EOF"', 'EOF', '\\EOF']) {
      assert.deepEqual(extractShellPatch(`apply_patch <<${word}\n${body}\nEOF\n`), { patch: body })
    }
  })

  it('takes the folder of a leading cd', () => {
    for (const folder of ['a b', '/x/y', '~', '..']) {
      const cmd = `cd '${folder}' && applypatch <<'EOF'\n${body}\nEOF`
      assert.deepEqual(extractShellPatch(cmd), { patch: body, workdir: folder })
    }
  })

  it('leaves a folder that the shell would expand to the shell', () => {
    for (const folder of ['$HOME', '"$HOME/x"', '`pwd`', 'a*', 'a\\ b', '-', '-P', 'a b']) {
      const cmd = `cd ${folder} && apply_patch <<'EOF'\n${body}\nEOF`
      assert.equal(extractShellPatch(cmd), undefined)
    }
  })

  it('leaves everything around the patch to the shell', () => {
    const patch = `apply_patch <<'EOF'\n${body}\nEOF`
    for (const cmd of [`${patch}\nls`, `ls; ${patch}`, `(${patch}\n)`, patch.slice(0, -4)]) {
      assert.equal(extractShellPatch(cmd), undefined)
    }
  })

  it('refuses a bare patch and no other bad command', () => {
    assert.throws(() => extractShellPatch(body), /patch detected without explicit call/)
    assert.equal(extractShellPatch('*** Begin Patch'), undefined)
  })
})
