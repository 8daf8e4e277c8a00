import { arrayAt, isObject, type Json, type JsonObject, stringAt } from '../../base/index.ts'
import type { ToolOutput } from '../../protocol/index.ts'
import { cutMiddle } from '../tools/exec/index.ts'

/** Observed: codex 0.133.0. */
const MOST_OUTPUT_TOKENS = 12_000

/** What is kept of a server's answer to a call; undefined for one that is none. */
export function callResult(answer: JsonObject): JsonObject | undefined {
  const { structuredContent, isError, _meta } = answer
  const hasContent = answer.content !== undefined || structuredContent !== undefined
  const content = answer.content === undefined ? [] : arrayAt(answer, 'content')
  if (!hasContent || !content?.every(isObject)) return undefined
  return {
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(typeof isError === 'boolean' ? { isError } : {}),
    ...(_meta === undefined ? {} : { _meta }),
  }
}

/** What the model reads of a result: structured where it is, with its images where it has any. */
export function resultOutput(result: JsonObject, wallMs: number): ToolOutput {
  const content = (arrayAt(result, 'content') ?? []).filter(isObject)
  const { structuredContent } = result
  if (structuredContent !== undefined && structuredContent !== null) {
    return textOutput(JSON.stringify(structuredContent), wallMs)
  }
  const isShown = content.some((part) => imageUrl(part) !== undefined)
  if (!isShown) return textOutput(JSON.stringify(content), wallMs)
  return withinBudget([inputText(wallTime(wallMs)), ...content.map(shownPart)])
}

/** A failure, in the form of a result. */
export function failureOutput(failure: string, wallMs: number): ToolOutput {
  return textOutput(JSON.stringify([{ type: 'text', text: failure }]), wallMs)
}

export function textOutput(text: string, wallMs: number): string {
  return cutMiddle(`${wallTime(wallMs)}\n${text}`, MOST_OUTPUT_TOKENS)
}

/** Text without a head of its own. */
export function plainOutput(text: string): string {
  return cutMiddle(text, MOST_OUTPUT_TOKENS)
}

function wallTime(ms: number): string {
  return `Wall time: ${(ms / 1000).toFixed(4)} seconds\nOutput:`
}

function inputText(text: string): JsonObject {
  return { type: 'input_text', text }
}

function shownPart(part: JsonObject): JsonObject {
  const url = imageUrl(part)
  if (url !== undefined) return { type: 'input_image', image_url: url, detail: 'high' }
  const text = part.type === 'text' ? stringAt(part, 'text') : undefined
  return inputText(text ?? JSON.stringify(part))
}

function imageUrl(part: JsonObject): string | undefined {
  const data = part.type === 'image' ? stringAt(part, 'data') : undefined
  if (data === undefined) return undefined
  if (data.startsWith('data:')) return data
  return `data:${stringAt(part, 'mimeType') ?? 'application/octet-stream'};base64,${data}`
}

/** Texts share one budget; images are as large as they are. */
function withinBudget(parts: JsonObject[]): JsonObject[] {
  let left = MOST_OUTPUT_TOKENS
  return parts.map((part) => {
    const text: Json | undefined = part.text
    if (typeof text !== 'string') return part
    const cut = cutMiddle(text, Math.max(0, left))
    left -= Math.ceil(Buffer.byteLength(text) / 4)
    return inputText(cut)
  })
}
