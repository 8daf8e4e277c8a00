import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
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
  const results = JSON.parse(await readFile(join(made, 'MethodResults.json'), 'utf8'))
  assert.deepEqual(Object.keys(results.properties).sort(), [...methods].sort())
  const types = await readFile(join(made, 'ClientRequest.ts'), 'utf8')
  const named = [...types.matchAll(/^ {6}method: "(.*)"$/gm)].map((match) => match[1])
  assert.deepEqual(named, methods)
  assert.ok(methods.includes('initialize') && methods.includes('turn/start'))
  const titles = ['ClientRequest', 'MethodResults', 'ServerNotification', 'ServerRequest']
  const files = titles.flatMap((title) => [`${title}.json`, `${title}.ts`])
  assert.deepEqual((await readdir(made)).sort(), files)
  for (const title of titles) {
    const text = await readFile(join(made, `${title}.ts`), 'utf8')
    const known = [...text.matchAll(/^export type (\w+) =/gm)].map((match) => match[1])
    assert.equal(known.at(-1), title)
    const used = [...text.matchAll(/: (?:Array<)?([A-Z]\w+)/g)].map((match) => match[1] ?? '')
    const unknown = used.filter((name) => !['Array', 'Record', ...known].includes(name))
    assert.deepEqual(unknown, [], title)
  }
  const told = JSON.parse(await readFile(join(made, 'ServerNotification.json'), 'utf8'))
  assert.deepEqual(told.definitions.Turn.required.slice(0, 2), ['id', 'items'])
  await assert.rejects(stat(place.home), { code: 'ENOENT' })
  const refused = await place.run(['app-server', 'generate-ts', '--out', 'a.txt'])
  assert.equal(refused.exitCode, 2)
  assert.match(refused.stderr, /^bobbin: cannot write a\.txt\/ClientRequest\.ts: /)
})
