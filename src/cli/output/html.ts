import { stripVTControlCharacters } from 'node:util'
import { typedCommand } from '../../history/index.ts'
import type { FileUpdateChange, Turn, TurnItem, UserContent } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { type Html, html, NOTHING } from './html-markup.ts'
import { STYLE } from './html-style.ts'
import { dynamicToolName } from './item-text.ts'

/**
 * A thread as one HTML document that needs nothing else: no scripts, no other files, and a policy
 * that forbids both to whatever would slip in. Turns are linked to as `#turn-1`, `#turn-2`, …
 */
export function threadHtml(thread: StoredThread, turns: readonly Turn[]): string {
  const title = (thread.name ?? thread.preview).split('\n')[0] ?? ''
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
${STYLE}
</head>
<body>
<header>
<h1 dir="auto">${title}</h1>
<dl>
${facts(thread)}</dl>
</header>
<main>
${turns.map(turnPart)}</main>
</body>
</html>
`
  return page.toString()
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

function facts(thread: StoredThread): Html[] {
  const known: (readonly [string, string | null])[] = [
    ['Thread', thread.threadId],
    ['Started', isoTime(thread.createdAtMs)],
    ['Folder', thread.cwd],
    ['Model', thread.model],
  ]
  return known.flatMap(([name, value]) =>
    value === null ? [] : [html`<dt>${name}</dt><dd>${value}</dd>\n`],
  )
}

/** Null for what is no date: the log that says it may be written by others. */
function isoTime(ms: number): string | null {
  const at = new Date(ms)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}

function turnPart(turn: Turn, index: number): Html {
  const id = `turn-${index + 1}`
  const startedAt = turn.startedAtS === null ? null : isoTime(turn.startedAtS * 1000)
  const time = startedAt === null ? NOTHING : html` <time>${startedAt}</time>`
  return html`<article id="${id}">
<h2><a href="#${id}">Turn ${index + 1}</a>${time}</h2>
${turn.items.map(itemPart)}${turnEnd(turn)}</article>
`
}

function turnEnd({ error, status }: Turn): Html[] {
  const end: Html[] = []
  if (error) {
    const details = error.additionalDetails === null ? '' : `\n${error.additionalDetails}`
    end.push(html`<p class="error text" dir="auto">Failed: ${error.message}${details}</p>\n`)
  }
  if (status === 'interrupted') end.push(html`<p class="note bad">Interrupted.</p>\n`)
  return end
}

function itemPart(item: TurnItem): Html {
  switch (item.type) {
    case 'userMessage':
      return html`<section class="user"><h3>You</h3>${item.content.map(contentPart)}</section>\n`
    case 'agentMessage': {
      const heading = item.phase === 'commentary' ? NOTHING : html`<h3>Agent</h3>`
      return html`<section class="agent">${heading}${text(item.text)}</section>\n`
    }
    case 'reasoning':
      return reasoningPart(item.summary)
    case 'commandExecution':
      return commandPart(item)
    case 'fileChange':
      return html`${item.changes.map((change) => changePart(change, item.status))}`
    case 'mcpToolCall':
      return toolPart(item)
    case 'webSearch':
      return note(`Searched the web: ${item.query}`)
    case 'plan':
      return html`<section><h3>Plan</h3>${text(item.text)}</section>\n`
    case 'enteredReviewMode':
    case 'exitedReviewMode':
      return note(`Review: ${item.review}`)
    case 'contextCompaction':
      return note('Earlier conversation was summarised here.')
    case 'dynamicToolCall':
      return dynamicToolPart(item)
    case 'imageView':
      return note(`Looked at ${item.path}`)
    case 'imageGeneration':
      return note('An image was made here.')
  }
}

function text(words: string): Html {
  return html`<div class="text" dir="auto">${words.trimEnd()}</div>`
}

function note(words: string): Html {
  return html`<p class="note dim text" dir="auto">${words}</p>\n`
}

/** The parser of HTML takes away a newline behind the tag: here it is one too many. */
function preformatted(words: string): Html {
  return html`<pre>\n${words.trimEnd()}</pre>`
}

const DATA_IMAGE = /^data:image\/[a-z0-9.+-]+;base64,[a-z0-9+/=]+$/i

/** Only a picture that is in the document is shown; nothing is loaded from elsewhere. */
function contentPart(part: UserContent): Html {
  if (part.type === 'text') return text(part.text)
  if (part.type === 'localImage') return html`<div class="dim">[Image: ${part.path}]</div>`
  const { url } = part
  if (DATA_IMAGE.test(url)) return html`<img alt="Image of the message" src="${url}">`
  const protocol = URL.parse(url)?.protocol
  if (protocol !== 'https:' && protocol !== 'http:') {
    const shown = url.length > 200 ? `${url.slice(0, 200)}…` : url
    return html`<div class="dim">[Image: ${shown}]</div>`
  }
  return html`<div>[Image: <a href="${url}" rel="noopener noreferrer">${url}</a>]</div>`
}

function reasoningPart(summary: readonly string[]): Html {
  const words = summary.join('\n\n')
  if (words.trim() === '') return NOTHING
  return html`<details><summary>Reasoning</summary>${text(words)}</details>\n`
}

function commandPart(item: Extract<TurnItem, { type: 'commandExecution' }>): Html {
  const script = `$ ${typedCommand(item.command)}`
  const hasFailed = item.status !== 'completed' || item.exitCode !== 0
  const fate = item.status === 'declined' ? 'refused' : `exit code ${item.exitCode ?? 'unknown'}`
  const look = hasFailed ? 'bad' : 'dim'
  const output = stripVTControlCharacters(item.aggregatedOutput ?? '').trimEnd()
  const shown = output === '' ? html`<pre class="dim">(no output)</pre>` : preformatted(output)
  const end = html`<span class="${look}">${fate}</span>`
  return html`<details><summary><code>${script}</code> ${end}</summary>
${shown}</details>\n`
}

function toolPart(item: Extract<TurnItem, { type: 'mcpToolCall' }>): Html {
  const { status } = item
  const fate = status === 'completed' ? NOTHING : html` <span class="bad">${status}</span>`
  const result = item.result === null ? NOTHING : preformatted(jsonText(item.result))
  const error = item.error ? html`<p class="error text">${item.error.message}</p>` : NOTHING
  return html`<details><summary><code>${item.server}.${item.tool}</code>${fate}</summary>
${preformatted(jsonText(item.arguments))}${result}${error}</details>\n`
}

function dynamicToolPart(item: Extract<TurnItem, { type: 'dynamicToolCall' }>): Html {
  const hasFailed = item.success === false || item.status !== 'completed'
  const fate = hasFailed ? html` <span class="bad">failed</span>` : NOTHING
  const texts = (item.contentItems ?? []).map((part) =>
    part.type === 'inputText' ? part.text : '[Image]',
  )
  const result = texts.length === 0 ? NOTHING : preformatted(texts.join('\n'))
  return html`<details><summary><code>${dynamicToolName(item)}</code>${fate}</summary>
${preformatted(jsonText(item.arguments))}${result}</details>\n`
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? ''
}

const DONE = { add: 'added', delete: 'deleted', update: 'changed' } as const

function changePart({ path, kind, diff }: FileUpdateChange, status: string): Html {
  const moved = kind.type === 'update' && kind.move_path ? ` → ${kind.move_path}` : ''
  const fate =
    status === 'completed'
      ? html`<span class="dim">${DONE[kind.type]}</span>`
      : html`<span class="bad">${status}</span>`
  const lines = diff.trimEnd().split(/\r?\n/)
  const shown = lines.map((line) => html`<span class="${lookOf(line, kind.type)}">${line}\n</span>`)
  return html`<details open><summary><code>${path}${moved}</code> ${fate}</summary>
<pre class="diff">${shown}</pre></details>\n`
}

/** The whole text of a file that was added or deleted has no marks at its lines. */
function lookOf(line: string, kind: FileUpdateChange['kind']['type']): string {
  if (kind === 'add') return 'add'
  if (kind === 'delete') return 'del'
  if (line.startsWith('@@')) return 'hunk'
  return line.startsWith('+') ? 'add' : line.startsWith('-') ? 'del' : 'same'
}
