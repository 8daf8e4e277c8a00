import type { JsonObject } from '../../base/index.ts'

/** Members of what servers list that the protocol knows; others are not handed on. */
export const TOOL_MEMBERS = [
  'name',
  'title',
  'description',
  'inputSchema',
  'outputSchema',
  'annotations',
  'icons',
  '_meta',
]
export const RESOURCE_MEMBERS = [
  'annotations',
  'description',
  'mimeType',
  'name',
  'size',
  'title',
  'uri',
  'icons',
  '_meta',
]
export const TEMPLATE_MEMBERS = [
  'annotations',
  'uriTemplate',
  'name',
  'title',
  'description',
  'mimeType',
]
export const CONTENT_MEMBERS = ['uri', 'mimeType', 'text', 'blob', '_meta']

export function picked(entry: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => members.includes(name)))
}
