import { typedCommand } from '../../history/index.ts'
import { type FileUpdateChange, type TurnItem, userContentText } from '../../protocol/index.ts'
import { headLines, printable, type Terminal } from './terminal.ts'

const OUTPUT_LINES = 12
const DIFF_LINES = 40

/** One finished item, for a person. */
export function printItem(to: Terminal, item: TurnItem): void {
  switch (item.type) {
    case 'userMessage':
      to.line(`${to.style('cyan', 'you')}  ${indented(userContentText(item.content), 5)}`)
      break
    case 'agentMessage':
      to.line(printable(item.text).trimEnd())
      break
    case 'reasoning':
      for (const text of item.summary) to.line(to.style('dim', indented(text, 0)))
      break
    case 'commandExecution':
      printCommand(to, item)
      break
    case 'fileChange':
      for (const change of item.changes) printChange(to, change, item.status)
      break
    case 'webSearch':
      to.line(`${to.style('magenta', 'search')}  ${printable(item.query)}`)
      break
    case 'mcpToolCall':
      to.line(`${to.style('magenta', 'tool')}  ${item.server}.${item.tool}`)
      break
    case 'dynamicToolCall':
      to.line(`${to.style('magenta', 'tool')}  ${printable(dynamicToolName(item))}`)
      break
    case 'imageView':
      to.line(`${to.style('magenta', 'image')}  ${printable(item.path)}`)
      break
    case 'plan':
      to.line(printable(item.text))
      break
    case 'enteredReviewMode':
    case 'exitedReviewMode':
      to.line(printable(item.review))
      break
    case 'contextCompaction':
      to.line(to.style('dim', '(earlier conversation was summarised here)'))
      break
    case 'imageGeneration':
      to.line(to.style('dim', `(image: ${item.status})`))
      break
  }
}

function indented(text: string, width: number): string {
  return printable(text)
    .trimEnd()
    .replaceAll('\n', `\n${' '.repeat(width)}`)
}

function printCommand(to: Terminal, item: Extract<TurnItem, { type: 'commandExecution' }>): void {
  to.line(`${to.style('yellow', '$')} ${printable(typedCommand(item.command))}`)
  for (const line of headLines(item.aggregatedOutput ?? '', OUTPUT_LINES)) {
    if (line !== '') to.line(`  ${to.style('dim', line)}`)
  }
  if (item.status === 'declined') to.line(`  ${to.style('red', 'refused')}`)
  else if (item.exitCode !== 0) to.line(`  ${to.style('red', `exit code ${item.exitCode ?? '?'}`)}`)
}

const MARKS = { add: 'A', delete: 'D', update: 'M' } as const

function printChange(to: Terminal, change: FileUpdateChange, status: string): void {
  const { kind } = change
  const moved = kind.type === 'update' && kind.move_path ? ` -> ${kind.move_path}` : ''
  const fate = status === 'completed' ? '' : ` (${status})`
  to.line(`${to.style('green', MARKS[kind.type])} ${printable(change.path)}${moved}${fate}`)
  if (kind.type !== 'update') return
  for (const line of headLines(change.diff, DIFF_LINES)) {
    const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim'
    to.line(`  ${to.style(style, line)}`)
  }
}

export function dynamicToolName({
  namespace,
  tool,
}: Extract<TurnItem, { type: 'dynamicToolCall' }>): string {
  return namespace === null ? tool : `${namespace}.${tool}`
}
