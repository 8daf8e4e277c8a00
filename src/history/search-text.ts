import { isObject } from '../base/index.ts'
import { type ResponseItem, type TurnItem, userContentText } from '../protocol/index.ts'
import { typedCommand } from './typed-command.ts'

/** What search finds of an item: what people and agents said, commands, patches, tools by name. */
export function searchText(item: TurnItem): string {
  switch (item.type) {
    case 'userMessage':
      return userContentText(item.content.filter((part) => part.type === 'text'))
    case 'agentMessage':
    case 'plan':
      return item.text
    case 'commandExecution':
      return typedCommand(item.command)
    case 'fileChange':
      return item.changes.map(({ path, diff }) => `${path}\n${diff}`).join('\n')
    case 'enteredReviewMode':
    case 'exitedReviewMode':
      return item.review
    case 'webSearch':
      return item.query
    case 'mcpToolCall':
      return `${item.server} ${item.tool}`
    case 'dynamicToolCall':
      return item.namespace === null ? item.tool : `${item.namespace} ${item.tool}`
    case 'imageView':
      return item.path
    default:
      return ''
  }
}

/** What search finds of a tool call: logs of real Codex tell of commands and patches only so. */
export function callText(item: ResponseItem): string {
  switch (item.type) {
    case 'custom_tool_call':
      return item.input
    case 'function_call':
      return argumentTexts(item.arguments).join('\n')
    case 'local_shell_call':
      return textsIn(item.action).join('\n')
    default:
      return ''
  }
}

function argumentTexts(text: string): string[] {
  try {
    return textsIn(JSON.parse(text))
  } catch {
    // What the model wrote is no JSON, but words all the same.
    return [text]
  }
}

/** All texts of a JSON value, without the keys. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.values(value).flatMap(textsIn) : []
}
