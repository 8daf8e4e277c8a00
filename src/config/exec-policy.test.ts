import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { homeExecPolicy } from './exec-policy.ts'

const RULE = 'prefix_rule(pattern=["touch"], decision="allow")\n'

describe('the rules of a home', () => {
  it('are its .rules files, in the order of their names; none without a folder', async () => {
    await using folder = await TempFolder.create()
    const home = folder.at('home')
    const policy = homeExecPolicy(home, [])
    assert.deepEqual(await policy.load('/'), [])
    await mkdir(folder.at('home', 'rules', 'sub.rules'), { recursive: true })
    await writeFile(folder.at('home', 'rules', 'b.rules'), 'b')
    await writeFile(folder.at('home', 'rules', 'a.rules'), 'a')
    await writeFile(folder.at('home', 'rules', 'notes.txt'), 'no')
    await promisify(execFile)('mkfifo', [folder.at('home', 'rules', 'pipe.rules')])
    assert.deepEqual(await policy.load('/'), [
      { path: folder.at('home', 'rules', 'a.rules'), text: 'a' },
      { path: folder.at('home', 'rules', 'b.rules'), text: 'b' },
      { path: folder.at('home', 'rules', 'pipe.rules'), problem: 'it is no regular file' },
      { path: folder.at('home', 'rules', 'sub.rules'), problem: 'it is no regular file' },
    ])
  })

  it('are joined by those of a trusted project, down to the folder', async () => {
    await using folder = await TempFolder.create()
    for (const name of ['project/.codex/rules', 'project/sub/.codex/rules', '.codex/rules']) {
      await mkdir(folder.at(name), { recursive: true })
      await writeFile(folder.at(name, 'x.rules'), name)
    }
    const cwd = folder.at('project', 'sub')
    const texts = async (trusted: readonly string[], at: string) => {
      const files = await homeExecPolicy(folder.at('home'), trusted).load(at)
      return files.map((file) => 'text' in file && file.text)
    }
    const project = folder.at('project')
    assert.deepEqual(await texts([project], cwd), [
      'project/.codex/rules',
      'project/sub/.codex/rules',
    ])
    assert.deepEqual(await texts([project], project), ['project/.codex/rules'])
    assert.deepEqual(await texts([cwd], project), [])
    assert.deepEqual(await texts([], cwd), [])
  })
})

describe('an approved prefix', () => {
  it("is appended once, in files that are the owner's alone", async () => {
    await using folder = await TempFolder.create()
    const policy = homeExecPolicy(folder.at('home'), [])
    const path = folder.at('home', 'rules', 'default.rules')
    assert.equal(await policy.append(['touch']), true)
    assert.equal(await policy.append(['touch']), false)
    assert.equal(await policy.append(['a "b"', 'c\\d\n']), true)
    const other = 'prefix_rule(pattern=["a \\"b\\"", "c\\\\d\\n"], decision="allow")\n'
    assert.equal(await readFile(path, 'utf8'), RULE + other)
    const modes = [folder.at('home', 'rules'), path].map(
      async (at) => (await stat(at)).mode & 0o777,
    )
    assert.deepEqual(await Promise.all(modes), [0o700, 0o600])
  })

  it('goes behind a line without an end', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('home', 'rules', 'default.rules')
    await mkdir(folder.at('home', 'rules'), { recursive: true })
    await writeFile(path, '# mine')
    await homeExecPolicy(folder.at('home'), []).append(['touch'])
    assert.equal(await readFile(path, 'utf8'), `# mine\n${RULE}`)
  })

  it('is there once when many append at the same time', async () => {
    await using folder = await TempFolder.create()
    const home = folder.at('home')
    const module = new URL('./exec-policy.ts', import.meta.url).href
    const script = `const { homeExecPolicy } = await import('${module}')
      const policy = homeExecPolicy('${home}', [])
      for (const word of ['a', 'b', 'touch']) await policy.append([word])`
    const runs = [1, 2, 3].map(() =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]),
    )
    await Promise.all(runs)
    const lines = (await readFile(folder.at('home', 'rules', 'default.rules'), 'utf8')).split('\n')
    assert.deepEqual(lines.sort(), [
      '',
      'prefix_rule(pattern=["a"], decision="allow")',
      'prefix_rule(pattern=["b"], decision="allow")',
      RULE.trim(),
    ])
  })

  it('is not written through a link, nor where nothing may be written', async () => {
    await using folder = await TempFolder.create()
    await mkdir(folder.at('home', 'rules'), { recursive: true })
    await writeFile(folder.at('target'), '')
    await symlink(folder.at('target'), folder.at('home', 'rules', 'default.rules'))
    await assert.rejects(homeExecPolicy(folder.at('home'), []).append(['touch']), /symbolic link/)
    await assert.rejects(homeExecPolicy(folder.at('other'), [], false).append(['touch']), /home/)
    assert.equal(await readFile(folder.at('target'), 'utf8'), '')
  })
})
