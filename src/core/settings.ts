import { isAbsolute } from 'node:path'
import { givenOf, type JsonObject } from '../base/index.ts'
import type { ApprovalPolicy, SandboxPolicy } from '../protocol/index.ts'
import { checkArguments } from './arguments.ts'
import { SessionError } from './errors.ts'

/** What is in force for the turns of a session. */
export interface SessionSettings {
  /** Absolute. */
  readonly cwd: string
  readonly model: string
  /** Id of the provider, as in `config.toml`. */
  readonly modelProvider: string
  readonly approvalPolicy: ApprovalPolicy
  readonly sandboxPolicy: SandboxPolicy
  /** Name of what the sandbox policy was chosen by; undefined where the policy itself was. */
  readonly permissionProfile?: string
  /** Undefined: the model's default. */
  readonly effort?: string
  readonly reasoningSummary?: string
  readonly verbosity?: string
  /** Tokens of the model's window, where the default is wrong. */
  readonly contextWindow?: number
  /** Tokens from which a thread is condensed, where the model's default is wrong. */
  readonly autoCompactTokens?: number
  readonly developerInstructions?: string
  /**
   * Whether the provider may search the web for the model: in what it keeps, or as the web is now.
   * Left out: it is not offered.
   */
  readonly webSearch?: 'disabled' | 'cached' | 'live'
}

/** Settings as they are asked for: what is left out is the most careful choice. */
export type SettingsChoice = Pick<SessionSettings, 'cwd' | 'model'> & Partial<SessionSettings>

/** Asks before what is not known to be harmless, and lets nothing be written. */
export function completeSettings(choice: SettingsChoice): SessionSettings {
  return {
    modelProvider: 'openai',
    approvalPolicy: 'on-request',
    sandboxPolicy: { type: 'read-only' },
    ...givenOf(choice),
  }
}

/** What may change while a thread is loaded. Null takes back to the default. */
export interface SettingsPatch {
  /** Absolute. */
  readonly cwd?: string
  readonly model?: string
  readonly approvalPolicy?: ApprovalPolicy
  readonly sandboxPolicy?: SandboxPolicy
  readonly permissionProfile?: string | null
  readonly effort?: string | null
  readonly reasoningSummary?: string | null
  readonly verbosity?: string | null
}

/** The settings with the whole patch in force, or none of it: throws `invalid_settings`. */
export function patchSettings(settings: SessionSettings, patch: SettingsPatch): SessionSettings {
  checkArguments('settings', patch)
  if (patch.cwd !== undefined && !isAbsolute(patch.cwd)) {
    throw new SessionError('invalid_settings', `the folder \`${patch.cwd}\` is no absolute path`)
  }
  if (patch.model?.trim() === '') {
    throw new SessionError('invalid_settings', 'the name of a model must not be blank')
  }
  const { effort, reasoningSummary, verbosity, permissionProfile, ...rest } = settings
  return {
    ...rest,
    ...definedOf({
      cwd: patch.cwd,
      model: patch.model,
      approvalPolicy: patch.approvalPolicy,
      sandboxPolicy: patch.sandboxPolicy,
    }),
    ...definedOf({
      effort: chosen(patch.effort, effort),
      reasoningSummary: chosen(patch.reasoningSummary, reasoningSummary),
      verbosity: chosen(patch.verbosity, verbosity),
      permissionProfile: chosen(patch.permissionProfile, permissionProfile),
    }),
  }
}

/** Null is a choice: none. */
function chosen(patched: string | null | undefined, current: string | undefined) {
  return patched === undefined ? current : (patched ?? undefined)
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function definedOf<T extends object>(fields: T): Defined<T> {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined) as Defined<T>
}

/** Who started a session, as its header tells. */
export interface SessionOrigin {
  readonly originator: string
  readonly source: string | JsonObject
  readonly threadSource?: string
}
