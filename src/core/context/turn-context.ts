import type { MessageItem, TurnContextRecord } from '../../protocol/index.ts'
import type { SessionSettings } from '../settings.ts'
import { permissionProfile, permissionsText } from './permissions.ts'

/** What of the machine the model is told. */
export interface TurnEnvironment {
  /** Name of the user's shell: `bash`. */
  readonly shellName: string
  readonly nowMs: number
  /** IANA name of the zone that this process runs in. */
  readonly timezone: string
}

/**
 * The `turn_context` line of a turn; undefined makes that of settings which wait for a turn. Fields
 * and order as 0.133.0 writes them.
 */
export function turnContextRecord(
  turnId: string | undefined,
  settings: SessionSettings,
  environment: TurnEnvironment,
): TurnContextRecord {
  const profile = permissionProfile(settings.sandboxPolicy, settings.cwd)
  return {
    ...(turnId === undefined ? {} : { turn_id: turnId }),
    cwd: settings.cwd,
    current_date: localDate(environment),
    timezone: environment.timezone,
    approval_policy: settings.approvalPolicy,
    sandbox_policy: settings.sandboxPolicy,
    permission_profile: profile,
    model: settings.model,
    collaboration_mode: {
      mode: 'default',
      settings: {
        model: settings.model,
        reasoning_effort: settings.effort ?? null,
        developer_instructions: null,
      },
    },
    realtime_active: false,
    ...(settings.effort ? { effort: settings.effort } : {}),
    summary: 'auto',
  }
}

function localDate({ nowMs }: TurnEnvironment): string {
  const now = new Date(nowMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

export interface ContextSources {
  readonly settings: SessionSettings
  readonly environment: TurnEnvironment
  /** Text of the `AGENTS.md` files, read only for a full context. */
  readonly projectDocs: () => Promise<string | undefined>
}

/**
 * The messages that tell the model where it works: all of them when there is no baseline, else only
 * what changed since it. Shapes and tags are 0.133.0's, so that either program can go on from them.
 */
export async function contextMessages(
  sources: ContextSources,
  record: TurnContextRecord,
  baseline: TurnContextRecord | undefined,
): Promise<MessageItem[]> {
  return baseline ? changes(sources, record, baseline) : fullContext(sources, record)
}

async function fullContext(
  { settings, environment, projectDocs }: ContextSources,
  record: TurnContextRecord,
): Promise<MessageItem[]> {
  const docs = await projectDocs()
  const developer = [permissions(settings)]
  if (settings.developerInstructions) developer.push(settings.developerInstructions)
  const user: string[] = []
  if (docs !== undefined) {
    user.push(
      `# AGENTS.md instructions for ${settings.cwd}\n\n<INSTRUCTIONS>\n${docs}\n</INSTRUCTIONS>`,
    )
  }
  user.push(environmentText(record, environment.shellName))
  return [message('developer', developer), message('user', user)]
}

function changes(
  { settings, environment }: ContextSources,
  record: TurnContextRecord,
  baseline: TurnContextRecord,
): MessageItem[] {
  const developer: string[] = []
  if (baseline.model !== record.model) {
    const change = `from ${baseline.model} to ${record.model}`
    developer.push(
      `<model_switch>\nThe user has switched the model ${change}. ` +
        'The conversation above was led by the former.\n</model_switch>',
    )
  }
  if (permissions(settings) !== formerPermissions(baseline)) developer.push(permissions(settings))
  const messages = developer.length > 0 ? [message('developer', developer)] : []
  const isElsewhere =
    baseline.cwd !== record.cwd ||
    baseline.current_date !== record.current_date ||
    baseline.timezone !== record.timezone
  if (isElsewhere) {
    messages.push(message('user', [environmentText(record, environment.shellName)]))
  }
  return messages
}

function permissions({ approvalPolicy, sandboxPolicy, cwd }: SessionSettings): string {
  return permissionsText(approvalPolicy, sandboxPolicy, cwd)
}

/**
 * Texts are compared, not policies: they name the folders, and do not depend on the order of keys.
 * Undefined for a record of another program that lacks the policy.
 */
function formerPermissions(baseline: TurnContextRecord): string | undefined {
  const { approval_policy, sandbox_policy, cwd } = baseline
  return sandbox_policy?.type && permissionsText(approval_policy, sandbox_policy, cwd)
}

function environmentText(record: TurnContextRecord, shellName: string): string {
  return [
    '<environment_context>',
    `  <cwd>${record.cwd}</cwd>`,
    `  <shell>${shellName}</shell>`,
    `  <current_date>${record.current_date}</current_date>`,
    `  <timezone>${record.timezone}</timezone>`,
    '</environment_context>',
  ].join('\n')
}

function message(role: 'developer' | 'user', texts: readonly string[]): MessageItem {
  return { type: 'message', role, content: texts.map((text) => ({ type: 'input_text', text })) }
}
