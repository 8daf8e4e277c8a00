import type { RolloutItem, TurnItem } from '../../protocol/index.ts'
import { ImageFileError, readImageFile } from '../context/image-file.ts'
import { type Fields, readArguments } from './exec/index.ts'
import { resolvePatchPath } from './patch/index.ts'
import type { Tool } from './tool.ts'

const FIELDS = {
  path: { type: 'string', presence: 'required' },
  detail: { type: 'string', presence: 'optional' },
} as const satisfies Fields

const SPEC = {
  type: 'function',
  name: 'view_image',
  description:
    'Shows you a picture from a file: PNG, JPEG, GIF or WebP. Not needed for pictures that are ' +
    'already part of the conversation.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      detail: {
        type: 'string',
        description: 'How much of the detail to keep; high when left out.',
        enum: ['high', 'original'],
      },
      path: { type: 'string', description: 'Path of the file, relative to the working folder.' },
    },
    required: ['path'],
    additionalProperties: false,
  },
} as const

/** Lets the model see a picture of the person's machine. */
export const viewImageTool: Tool = {
  name: 'view_image',
  kind: 'function',
  isParallel: () => true,
  spec: SPEC as unknown as Tool['spec'],
  run: async (call, { recorder, settings, signal, turnId }) => {
    const { path: given, detail = 'high' } = readArguments(call.input, 'ViewImageArgs', FIELDS)
    if (detail !== 'high' && detail !== 'original') return detailRefusal(detail)
    const path = resolvePatchPath(settings.cwd, given)
    let image_url: string
    try {
      image_url = await readImageFile(path)
    } catch (error) {
      if (error instanceof ImageFileError) return refusal(path, error)
      throw error
    }
    signal.throwIfAborted()
    const item: TurnItem = { type: 'imageView', id: call.callId, path }
    recorder.tell({ type: 'itemStarted', turnId, item })
    const event = { type: 'view_image_tool_call', call_id: call.callId, path } as const
    const line: RolloutItem = { type: 'event_msg', payload: event }
    await recorder.complete(turnId, item, [line])
    return [{ type: 'input_image', image_url, detail }]
  },
}

function detailRefusal(detail: string): string {
  return (
    'view_image.detail only supports `high` or `original`; omit `detail` for default high ' +
    `resized behavior, got \`${detail}\``
  )
}

function refusal(path: string, { failure, message }: ImageFileError): string {
  switch (failure) {
    case 'missing':
      return `unable to locate image at \`${path}\`: ${message}`
    case 'not_a_file':
      return `image path \`${path}\` is not a file`
    case 'unreadable':
      return `unable to read image at \`${path}\`: ${message}`
    default:
      return `unable to process image at \`${path}\`: ${message}`
  }
}
