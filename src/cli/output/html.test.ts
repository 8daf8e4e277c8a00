import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { header, says, threadIdOf, turnContext } from '../../../test/support/thread-log.ts'
import { SummaryFold } from '../../history/index.ts'
import type { RolloutItem, Turn, TurnItem } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { threadHtml } from './html.ts'

const ID = threadIdOf(1)

/** The thread of these items, by that name. */
function aThread(name: string | null, ...items: readonly RolloutItem[]): StoredThread {
  const fold = new SummaryFold()
  for (const item of [header(ID), ...items]) fold.apply(item)
  const { loggedName: _, ...summary } = fold.finish() ?? assert.fail('there is a header')
  const file = { rolloutPath: '/home/x.jsonl', updatedAtMs: 0, sizeBytes: 1, isArchived: false }
  return { ...summary, ...file, name }
}

const THREAD = aThread('A name', turnContext('t', { model: 'm-1' }), ...says('hello'))

function turn(items: readonly TurnItem[], extra: Partial<Turn> = {}): Turn {
  return {
    id: 't',
    status: 'completed',
    items,
    error: null,
    startedAtS: 1_800_000_000,
    completedAtS: null,
    durationMs: null,
    ...extra,
  }
}

function page(...items: readonly TurnItem[]): string {
  return threadHtml(THREAD, [turn(items)])
}

const asks = (text: string): TurnItem => ({
  type: 'userMessage',
  id: 'u',
  content: [{ type: 'text', text, text_elements: [] }],
})

const shows = (url: string): TurnItem => ({
  type: 'userMessage',
  id: 'u',
  content: [{ type: 'image', detail: null, url }],
})

const replies = (text: string, phase: 'commentary' | null = null): TurnItem => ({
  type: 'agentMessage',
  id: 'a',
  text,
  phase,
  memoryCitation: null,
})

type Command = Extract<TurnItem, { type: 'commandExecution' }>

function runs(command: string, extra: Partial<Command> = {}): TurnItem {
  return {
    type: 'commandExecution',
    id: 'c',
    command,
    cwd: '/repo',
    processId: null,
    source: 'agent',
    status: 'completed',
    commandActions: [{ type: 'unknown', command }],
    aggregatedOutput: null,
    exitCode: 0,
    durationMs: null,
    ...extra,
  }
}

function changes(
  path: string,
  kind: 'add' | 'delete' | 'update',
  diff: string,
  status: 'completed' | 'failed' = 'completed',
): TurnItem {
  const of = kind === 'update' ? { type: kind, move_path: null } : { type: kind }
  return { type: 'fileChange', id: 'f', changes: [{ path, kind: of, diff }], status }
}

function calls(text: string): TurnItem {
  return {
    type: 'mcpToolCall',
    id: 'm',
    server: text,
    tool: text,
    arguments: { [text]: text },
    status: 'failed',
    result: [text],
    error: { message: text },
    durationMs: null,
  }
}

/** One of each kind, with this text wherever a text can be. */
function everyItem(text: string): TurnItem[] {
  return [
    asks(text),
    shows(text),
    shows(`data:image/png;base64,${text}`),
    shows(`https://example.invalid/${text}`),
    { type: 'userMessage', id: text, content: [{ type: 'localImage', detail: null, path: text }] },
    replies(text),
    replies(text, 'commentary'),
    { type: 'reasoning', id: text, summary: [text, text], content: [text] },
    runs(text, { aggregatedOutput: text, exitCode: 1 }),
    ...(['add', 'delete', 'update'] as const).map((kind) => changes(text, kind, text)),
    calls(text),
    { type: 'webSearch', id: text, query: text, action: { query: text } },
    { type: 'plan', id: text, text },
    { type: 'contextCompaction', id: text },
    { type: 'enteredReviewMode', id: text, review: text },
    { type: 'exitedReviewMode', id: text, review: text },
    { type: 'imageGeneration', id: text, status: text },
  ]
}

function everywhere(text: string): string {
  const error = { message: text, codexErrorInfo: text, additionalDetails: text }
  const turns = [turn(everyItem(text), { id: text, status: 'failed', error })]
  return threadHtml({ ...THREAD, name: text, preview: text, cwd: text, model: text }, turns)
}

/** The tags with their attributes' names; the values are left out. */
function tagsOf(markup: string): string[] {
  return [...markup.matchAll(/<[a-z!/][^>]*>/gi)].map(([tag]) => tag.replace(/"[^"]*"/g, '""'))
}

describe('a thread as HTML', () => {
  it('is one document that allows no scripts and loads nothing', () => {
    const text = page(asks('hi'), replies('ho'))
    assert.match(text, /^<!DOCTYPE html>\n<html lang="en">/)
    const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    const content = policy.replaceAll("'", '&#39;')
    assert.ok(text.includes(`<meta http-equiv="Content-Security-Policy" content="${content}">`))
    assert.ok(text.indexOf('Content-Security-Policy') < text.indexOf('<style>'))
    assert.doesNotMatch(text, /<script|<link|<iframe|@import|url\(|\son\w+=/i)
    assert.ok(text.includes('@media (prefers-color-scheme: dark)') && text.includes('@media print'))
  })

  it('tells what it is of', () => {
    const text = threadHtml(aThread(null, ...says('one\ntwo')), [])
    assert.ok(threadHtml(THREAD, []).includes('<dd>m-1</dd>'))
    assert.ok(text.includes('<title>one</title>') && text.includes('<h1 dir="auto">one</h1>'))
    assert.ok(text.includes(`<dd>${ID}</dd>`) && text.includes('<dd>/repo</dd>'))
    assert.ok(text.includes('<dd>2026-11-20T09:29:15.680Z</dd>') && !text.includes('Model'))
  })

  it('gives each turn an anchor, its time and its end', () => {
    const error = { message: 'no luck', codexErrorInfo: null, additionalDetails: 'at all' }
    const text = threadHtml(THREAD, [
      turn([asks('a')]),
      turn([], { status: 'failed', error, startedAtS: null }),
      turn([], { status: 'interrupted', startedAtS: 1e300 }),
    ])
    for (const n of [1, 2, 3]) {
      assert.ok(text.includes(`<article id="turn-${n}">\n<h2><a href="#turn-${n}">Turn ${n}</a>`))
    }
    assert.equal(text.split('<time>').length, 2)
    assert.ok(text.includes('<time>2027-01-15T08:00:00.000Z</time>'))
    assert.ok(text.includes('<p class="error text" dir="auto">Failed: no luck\nat all</p>'))
    assert.ok(text.includes('Interrupted.'))
  })

  it('keeps the line breaks of what was said, the first one too', () => {
    const text = page(asks('\none\n\n  two\r\nthree'), replies('**four**\n- five'))
    assert.ok(text.includes('<div class="text" dir="auto">\none\n\n  two\nthree</div>'))
    assert.ok(text.includes('**four**\n- five</div>'))
    assert.ok(page(runs('x', { aggregatedOutput: '\n  out' })).includes('<pre>\n\n  out</pre>'))
  })

  it('folds commands and reasoning, and marks what failed', () => {
    const text = page(
      runs('ls', { aggregatedOutput: '\u001b[31ma.txt\u001b[0m\n' }),
      runs('false', { exitCode: 1 }),
      runs('rm', { status: 'declined', exitCode: null }),
      { type: 'reasoning', id: 'r', summary: ['why', 'so'], content: [] },
      { type: 'reasoning', id: 'r', summary: [], content: [] },
    )
    const parts = [
      '<code>$ ls</code> <span class="dim">exit code 0</span></summary>\n<pre>\na.txt</pre>',
      '<code>$ false</code> <span class="bad">exit code 1</span>',
      '<code>$ rm</code> <span class="bad">refused</span>',
      '<summary>Reasoning</summary><div class="text" dir="auto">why\n\nso</div></details>',
    ]
    for (const part of parts) assert.ok(text.includes(part), part)
    assert.equal(text.split('Reasoning').length, 2)
  })

  it('colours the lines of a change', () => {
    const text = page(
      changes('/a', 'update', '@@ -1 +1 @@\r\n-old\n+new\n same\n'),
      changes('/b', 'add', 'x\n\n-y\n'),
      changes('/c', 'delete', 'z', 'failed'),
    )
    const line = (look: string, words: string) => `<span class="${look}">${words}\n</span>`
    const first = [line('hunk', '@@ -1 +1 @@'), line('del', '-old'), line('add', '+new')]
    assert.ok(text.includes(`<pre class="diff">${first.join('')}${line('same', ' same')}</pre>`))
    assert.ok(text.includes(line('add', 'x') + line('add', '') + line('add', '-y')))
    assert.ok(text.includes(`<span class="bad">failed</span></summary>\n<pre class="diff">`))
  })

  it('shows pictures that are in it, and names all others', () => {
    const png = 'data:image/png;base64,iVBORw0KGgo='
    assert.ok(page(shows(png)).includes(`<img alt="Image of the message" src="${png}">`))
    const link = page(shows('https://example.invalid/a?b=1&c="'))
    assert.ok(link.includes('<a href="https://example.invalid/a?b=1&amp;c=&quot;" rel="'))
    assert.ok(!link.includes('<img'))
    for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html;base64,aaaa']) {
      const text = page(shows(url))
      assert.ok(text.includes(`[Image: ${url}]`) && !/<img|rel=/.test(text), url)
    }
  })
})

describe('hostile text in HTML', () => {
  const HOSTILE = [
    '<script>alert(1)</script>',
    '</style><script>alert(1)</script>',
    '</pre></details></article><img src=x onerror=alert(1)>',
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '"><svg/onload=alert(1)>',
    '--><!--<script>',
    '<![CDATA[<script>alert(1)</script>]]>',
    '&lt;script&gt;&#x3c;script&#62;',
    '\u0000<\u0000script\u0000>alert(1)',
    'javascript:alert(1)',
  ]
  const harmless = tagsOf(everywhere('plain text'))

  for (const text of HOSTILE) {
    it(`adds no tag and no attribute: ${JSON.stringify(text)}`, () => {
      const made = everywhere(text)
      assert.deepEqual(tagsOf(made), harmless)
      assert.ok(!made.includes('\u0000'))
    })
  }

  it('is shown as it was written', () => {
    assert.ok(page(asks(`<b>&amp;"'`)).includes('&lt;b&gt;&amp;amp;&quot;&#39;</div>'))
  })

  it('reorders nothing, and holds no control characters and no half characters', () => {
    const made = everywhere('a\u202eb\u2066c\u2069\u0000\u0007\u001b[2J\u009b\ud800z')
    assert.ok(made.includes('a[U+202E]b[U+2066]c[U+2069]\uFFFD\uFFFD'))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
    assert.doesNotMatch(made, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    assert.ok(made.isWellFormed())
    assert.ok(page(asks('שלום \u200f!')).includes('dir="auto">שלום \u200f!</div>'))
  })
})
