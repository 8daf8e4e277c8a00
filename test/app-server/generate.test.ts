import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { Workplace } from '../support/bobbin.ts'

it('bobbin app-server generate-… writes what is served, and needs no home', async () => {
  await using place = await Workplace.create()
  for (const command of ['generate-json-schema', 'generate-ts']) {
    const outcome = await place.run(['app-server', command, '--out', 'made/here'])
    assert.deepEqual(outcome, { exitCode: 0, stdout: '', stderr: '' })
  }
  const made = join(place.project, 'made', 'here')
  const schema = JSON.parse(await readFile(join(made, 'ClientRequest.json'), 'utf8'))
  const methods = schema.oneOf.map(
    (branch: { properties: { method: { const: string } } }) => branch.properties.method.const,
  )
  const types = await readFile(join(made, 'ClientRequest.ts'), 'utf8')
  const named = [...types.matchAll(/^ {6}method: "(.*)"$/gm)].map((match) => match[1])
  assert.deepEqual(named, methods)
  assert.ok(methods.includes('initialize') && methods.includes('turn/start'))
  await assert.rejects(stat(place.home), { code: 'ENOENT' })
  const refused = await place.run(['app-server', 'generate-ts', '--out', 'a.txt'])
  assert.equal(refused.exitCode, 2)
  assert.match(refused.stderr, /^bobbin: cannot write a\.txt\/ClientRequest\.ts: /)
})
