import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { configWarning } from './config-warning.ts'
import { ConfigError } from './errors.ts'
import { loadConfig } from './load-config.ts'

async function rangeOf(text: string, overrides: readonly string[] = []) {
  await using folder = await TempFolder.create()
  await writeFile(folder.at('config.toml'), text)
  try {
    loadConfig({ home: folder.at('.'), environment: {}, overrides })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    const { summary, details, path, range } = configWarning(error)
    assert.equal(summary, 'Invalid configuration; using defaults.')
    assert.equal(details, error.message)
    assert.equal(path === undefined, range === undefined)
    return range && [range.start, range.end].map(({ line, column }) => [line, column])
  }
  return 'valid'
}

it('a fault is told with where it stands in the file', async () => {
  assert.deepEqual(await rangeOf('a = 1\nmodel = 5 # five\n'), [
    [2, 9],
    [2, 9],
  ])
  assert.deepEqual(await rangeOf('approval_policy = "zzz"\n'), [
    [1, 19],
    [1, 23],
  ])
  assert.deepEqual(await rangeOf('[mcp_servers.x]\ncommand = 5\n'), [
    [2, 11],
    [2, 11],
  ])
  assert.deepEqual(await rangeOf('\n= 5\n'), [
    [2, 1],
    [2, 1],
  ])
  assert.equal(await rangeOf('model = "x"\nnosuch = 1\n'), 'valid')
})

it('a fault that is in no file is told without a place', async () => {
  assert.equal(await rangeOf('profile = "nosuch"\n'), undefined)
  assert.equal(await rangeOf('a = 1\n', ['model=5']), undefined)
})
