import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { isObject, type JsonObject, stringAt } from '../base/index.ts'
import type { CommandAction, StoredEvent } from '../protocol/index.ts'

type Stored = Pick<
  Extract<StoredEvent, { type: 'exec_command_end' }>,
  'command' | 'cwd' | 'parsed_cmd'
>

/** What a command does, as clients are told it. Of an entry that is none, its text is unknown. */
export function commandActions({ command, cwd, parsed_cmd }: Stored): CommandAction[] {
  const whole = command.at(-1) ?? ''
  const entries: unknown = parsed_cmd
  if (!Array.isArray(entries)) return [{ type: 'unknown', command: whole }]
  return entries.map((entry) => shownAction(isObject(entry) ? entry : {}, cwd, whole))
}

function shownAction(entry: JsonObject, cwd: string, whole: string): CommandAction {
  const command = stringAt(entry, 'cmd') ?? whole
  const path = stringAt(entry, 'path')
  switch (entry.type) {
    case 'read':
      if (path === undefined) return { type: 'unknown', command }
      return { type: 'read', command, name: stringAt(entry, 'name') ?? path, path: at(cwd, path) }
    case 'list_files':
      return { type: 'listFiles', command, path: path ?? null }
    case 'search': {
      const query = stringAt(entry, 'query') ?? null
      return { type: 'search', command, query, path: path ?? null }
    }
    default:
      return { type: 'unknown', command }
  }
}

function at(cwd: string, path: string): string {
  const absolute = path.replace(/^~(?=\/|$)/, () => homedir())
  return resolve(cwd, absolute)
}
