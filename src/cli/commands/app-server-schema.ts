import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaTypes } from '../../app-server/index.ts'
import { errorText } from '../../base/index.ts'
import { resolveHome } from '../../config/index.ts'
import { CliError } from '../cli-error.ts'
import { ComposedServer } from '../compose-server.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'

export interface SchemaFlags {
  readonly out: string
}

/** Writes what clients may send and are told: `ClientRequest.json` and others, or `.ts`. */
export async function runGenerate(form: 'json' | 'ts', { out }: SchemaFlags): Promise<ExitCode> {
  // Nothing is read and nothing runs: only what would be served is looked at.
  await using composed = new ComposedServer({
    home: resolveHome(process.env),
    environment: process.env,
    overrides: [],
    onBadConfig: () => undefined,
  })
  for (const [title, schema] of Object.entries(await composed.server.schemas())) {
    const text = form === 'json' ? `${JSON.stringify(schema, null, 2)}\n` : schemaTypes(schema)
    const path = join(out, `${title}.${form}`)
    try {
      mkdirSync(out, { recursive: true })
      writeFileSync(path, text)
    } catch (error) {
      throw new CliError(EXIT.usage, `cannot write ${path}: ${errorText(error)}`)
    }
  }
  return EXIT.ok
}
