import { typedCommand } from '../../history/index.ts'
import { type Turn, type TurnItem, userContentText } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { dynamicToolName } from './item-text.ts'

/** A thread as a Markdown document: what was said in full, commands and patches in fences. */
export function threadMarkdown(thread: StoredThread, turns: readonly Turn[]): string {
  const title = (thread.name ?? thread.preview).split('\n')[0] ?? ''
  const facts = [
    `- Thread: \`${thread.threadId}\``,
    `- Started: ${new Date(thread.createdAtMs).toISOString()}`,
    `- Folder: \`${thread.cwd}\``,
    ...(thread.model === null ? [] : [`- Model: \`${thread.model}\``]),
  ]
  const parts = [`# ${title}`, facts.join('\n'), ...turns.flatMap(turnParts)]
  return `${parts.join('\n\n')}\n`
}

function turnParts(turn: Turn): string[] {
  const parts = turn.items.map(itemPart).filter((part) => part !== '')
  if (turn.error) parts.push(`> Failed: ${turn.error.message}`)
  if (turn.status === 'interrupted') parts.push('> Interrupted.')
  return parts
}

function itemPart(item: TurnItem): string {
  switch (item.type) {
    case 'userMessage':
      return `## You\n\n${userContentText(item.content)}`
    case 'agentMessage':
      return item.phase === 'commentary' ? item.text : `## Agent\n\n${item.text}`
    case 'reasoning':
      return item.summary.map((text) => `> ${text.replaceAll('\n', '\n> ')}`).join('\n')
    case 'commandExecution': {
      const script = `$ ${typedCommand(item.command)}`
      const exit = item.exitCode === null || item.exitCode === 0 ? [] : [`(exit ${item.exitCode})`]
      const output = item.aggregatedOutput === null ? [] : [item.aggregatedOutput.trimEnd()]
      return fenced('console', [script, ...output, ...exit].join('\n'))
    }
    case 'fileChange':
      return item.changes
        .map(({ path, kind, diff }) => `\`${path}\` (${kind.type})\n\n${fenced('diff', diff)}`)
        .join('\n\n')
    case 'mcpToolCall':
      return fenced('json', JSON.stringify({ [`${item.server}.${item.tool}`]: item.arguments }))
    case 'dynamicToolCall':
      return fenced('json', JSON.stringify({ [dynamicToolName(item)]: item.arguments }))
    case 'imageView':
      return `> Looked at ${item.path}`
    case 'webSearch':
      return `> Searched the web: ${item.query}`
    case 'plan':
      return item.text
    case 'enteredReviewMode':
    case 'exitedReviewMode':
      return `> Review: ${item.review}`
    case 'contextCompaction':
      return '> Earlier conversation was summarised here.'
    case 'imageGeneration':
      return '> An image was made here.'
  }
}

/** A fence longer than any run of backticks inside. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`
}
