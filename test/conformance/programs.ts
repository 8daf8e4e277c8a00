/** The real programs, as `run.ts` names them in the environment. Missing ones are a failure. */
import { codexExec } from './codex-exec.ts'

function fromEnv(name: string): string {
  const value = process.env[name]
  if (value) return value
  throw new Error(`${name} is not set: run the suite by \`npm run conformance\``)
}

export const codex133 = fromEnv('BOBBIN_CODEX_133')
export const codex169 = fromEnv('BOBBIN_CODEX_169')
export const sdkModule = fromEnv('BOBBIN_CODEX_SDK')

/** Both versions, for tests that hold for each. */
export const codexVersions = [
  { version: '0.133.0', binary: codex133 },
  { version: '0.169.0', binary: codex169 },
] as const

export const codex133Exec = codexExec(codex133)
