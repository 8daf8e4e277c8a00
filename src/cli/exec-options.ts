import { readFileSync, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { errorText, findWorkTreeRoot, isObject, type JsonObject } from '../base/index.ts'
import { type Config, checkHome, loadConfig, resolveHome } from '../config/index.ts'
import { DEFAULT_MODEL, type SessionOrigin, type SessionSettings } from '../core/index.ts'
import { SANDBOX_MODES, type SandboxMode } from '../protocol/index.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import type { ColorChoice } from './output/terminal.ts'

/** The flags of `exec`, as the parser gives them. */
export interface ExecFlags {
  readonly json?: boolean
  readonly experimentalJson?: boolean
  readonly cd?: string
  readonly model?: string
  readonly config: readonly string[]
  readonly profile?: string
  readonly sandbox?: string
  readonly dangerouslyBypassApprovalsAndSandbox?: boolean
  readonly addDir: readonly string[]
  readonly image: readonly string[]
  readonly outputSchema?: string
  readonly outputLastMessage?: string
  readonly ephemeral?: boolean
  readonly last?: boolean
  readonly skipGitRepoCheck?: boolean
  readonly threadSource?: string
  readonly oss?: boolean
  readonly localProvider?: string
  readonly ignoreUserConfig?: boolean
  readonly color: string
}

/** What an exec run is to do, checked as far as that goes without reading threads. */
export interface ExecRun {
  readonly config: Config
  readonly settings: SessionSettings
  readonly origin: SessionOrigin
  readonly outputSchema: JsonObject | undefined
  readonly isJson: boolean
  readonly color: ColorChoice
}

/** Throws `CliError` and `ConfigError`; writes nothing. */
export function prepareExec(flags: ExecFlags, environment: NodeJS.ProcessEnv): ExecRun {
  const home = resolveHome(environment)
  checkHome(home)
  const config = loadConfig({
    home,
    environment,
    overrides: [...flags.config, ...providerOverrides(flags)],
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    ...(flags.ignoreUserConfig ? { ignoreFile: true } : {}),
  })
  const cwd = workingFolder(flags.cd)
  const isBypassed = flags.dangerouslyBypassApprovalsAndSandbox === true
  if (!flags.skipGitRepoCheck && !isBypassed) requireTrust(cwd, config.trustedFolders)
  return {
    config,
    settings: settingsOf(flags, config, cwd),
    origin: {
      originator: environment.CODEX_INTERNAL_ORIGINATOR_OVERRIDE || 'bobbin_exec',
      source: 'exec',
      threadSource: flags.threadSource ?? 'user',
    },
    outputSchema: flags.outputSchema === undefined ? undefined : readSchema(flags.outputSchema),
    isJson: flags.json === true || flags.experimentalJson === true,
    color: colorChoice(flags.color),
  }
}

function providerOverrides(flags: ExecFlags): string[] {
  if (!flags.oss && flags.localProvider === undefined) return []
  return [`model_provider=${flags.localProvider ?? 'ollama'}`]
}

function settingsOf(flags: ExecFlags, config: Config, cwd: string): SessionSettings {
  const roots = flags.addDir.map((folder) => resolve(cwd, folder))
  return {
    cwd,
    model: flags.model ?? config.model ?? DEFAULT_MODEL,
    modelProvider: config.modelProvider,
    approvalPolicy: 'never',
    webSearch: config.webSearch,
    sandboxPolicy: config.sandboxPolicies(sandboxMode(flags, config), roots),
    ...(config.effort === undefined ? {} : { effort: config.effort }),
    ...(config.reasoningSummary === undefined ? {} : { reasoningSummary: config.reasoningSummary }),
    ...(config.verbosity === undefined ? {} : { verbosity: config.verbosity }),
    ...(config.contextWindow === undefined ? {} : { contextWindow: config.contextWindow }),
    ...(config.autoCompactTokens === undefined
      ? {}
      : { autoCompactTokens: config.autoCompactTokens }),
    ...(config.developerInstructions === undefined
      ? {}
      : { developerInstructions: config.developerInstructions }),
  }
}

function sandboxMode(flags: ExecFlags, config: Config): SandboxMode {
  if (flags.dangerouslyBypassApprovalsAndSandbox) return 'danger-full-access'
  if (flags.sandbox === undefined) return config.sandboxMode ?? 'read-only'
  const mode = SANDBOX_MODES.find((each) => each === flags.sandbox)
  if (mode) return mode
  const remedy = `one of: ${SANDBOX_MODES.join(', ')}`
  throw new CliError(EXIT.usage, `unknown sandbox mode \`${flags.sandbox}\``, remedy)
}

/** Real path of the folder to work in. */
export function workingFolder(named: string | undefined): string {
  const folder = resolve(named ?? '.')
  try {
    if (!statSync(folder).isDirectory()) throw new Error('not a folder')
    return realpathSync(folder)
  } catch (error) {
    const remedy = 'give --cd a folder that is there'
    throw new CliError(EXIT.usage, `cannot work in ${folder}: ${errorText(error)}`, remedy)
  }
}

function requireTrust(cwd: string, trusted: readonly string[]): void {
  const root = findWorkTreeRoot(cwd)
  if (root !== undefined || trusted.includes(cwd)) return
  throw new CliError(
    EXIT.usage,
    `Not inside a trusted directory and --skip-git-repo-check was not specified: ${cwd}`,
    'work inside a git repository, or add --skip-git-repo-check',
  )
}

function readSchema(path: string): JsonObject {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const message = `cannot read the output schema ${path}: ${errorText(error)}`
    throw new CliError(EXIT.usage, message)
  }
  try {
    const schema: unknown = JSON.parse(text)
    if (isObject(schema)) return schema
    throw new Error('it is no JSON object')
  } catch (error) {
    const message = `the output schema ${path} is not valid JSON: ${errorText(error)}`
    throw new CliError(EXIT.usage, message)
  }
}

function colorChoice(text: string): ColorChoice {
  if (text === 'auto' || text === 'always' || text === 'never') return text
  throw new CliError(EXIT.usage, `--color ${text}: not one of auto, always, never`)
}
