import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { errorCode, errorText } from '../../base/index.ts'
import type {
  ContentPart,
  MessageItem,
  StoredEvent,
  UserContent,
  UserInput,
} from '../../protocol/index.ts'

const IMAGE_TYPES: { readonly [extension: string]: string } = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
}

/** Larger pictures are refused: they would be sent again with every request. */
const IMAGE_MAX_BYTES = 10 * 1024 * 1024

/** A person's input as the model reads it. An unreadable picture becomes a text that says so. */
export async function userMessageItem(input: readonly UserInput[]): Promise<MessageItem> {
  const content: ContentPart[] = []
  let imageNumber = 0
  for (const part of input) {
    if (part.type === 'text') content.push({ type: 'input_text', text: part.text })
    else {
      imageNumber += 1
      content.push(...(await imageParts(part.path, imageNumber)))
    }
  }
  return { type: 'message', role: 'user', content }
}

/** The same input as a log keeps it for people. */
export function userMessageEvent(
  input: readonly UserInput[],
): Extract<StoredEvent, { type: 'user_message' }> {
  const texts = input.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  return {
    type: 'user_message',
    message: texts.join('\n'),
    images: [],
    local_images: input.flatMap((part) => (part.type === 'localImage' ? [part.path] : [])),
    text_elements: [],
  }
}

/** The same input as it is shown while the turn runs: part by part, in its order. */
export function shownInput(input: readonly UserInput[]): UserContent[] {
  return input.map((part) =>
    part.type === 'text'
      ? { type: 'text', text: part.text, text_elements: [] }
      : { type: 'localImage', detail: null, path: part.path },
  )
}

async function imageParts(path: string, imageNumber: number): Promise<ContentPart[]> {
  const mediaType = IMAGE_TYPES[extname(path).toLowerCase()]
  try {
    if (!mediaType) throw new Error('unsupported image format')
    // Looked at first: a device or a pipe would be read for ever.
    const facts = await stat(path)
    if (!facts.isFile()) throw new Error('not a file')
    if (facts.size > IMAGE_MAX_BYTES) throw new Error('larger than 10 MiB')
    const bytes = await readFile(path)
    const image_url = `data:${mediaType};base64,${bytes.toString('base64')}`
    return [
      { type: 'input_text', text: `<image name=[Image #${imageNumber}]>` },
      { type: 'input_image', image_url, detail: 'high' },
      { type: 'input_text', text: '</image>' },
    ]
  } catch (error) {
    const reason =
      errorCode(error) === 'ENOENT' ? 'No such file or directory (os error 2)' : errorText(error)
    const text = `Codex could not read the local image at \`${path}\`: ${reason}`
    return [{ type: 'input_text', text }]
  }
}
