import type {
  ContentPart,
  MessageItem,
  StoredEvent,
  UserContent,
  UserInput,
} from '../../protocol/index.ts'
import { ImageFileError, readImageFile } from './image-file.ts'

/** About the 10 MiB of a picture from a file, as a data URL. */
const IMAGE_URL_MAX_CHARACTERS = 14 * 1024 * 1024

/** A person's input as the model reads it. An unreadable picture becomes a text that says so. */
export async function userMessageItem(input: readonly UserInput[]): Promise<MessageItem> {
  const content: ContentPart[] = []
  let imageNumber = 0
  for (const part of input) {
    if (part.type === 'text') content.push({ type: 'input_text', text: part.text })
    else {
      imageNumber += 1
      content.push(
        ...(part.type === 'image'
          ? remoteImageParts(part.url)
          : await localImageParts(part.path, imageNumber)),
      )
    }
  }
  return { type: 'message', role: 'user', content }
}

/** The same input as people are shown it at once, part by part. */
export function userInputContent(input: readonly UserInput[]): UserContent[] {
  return input.flatMap((part): UserContent[] => {
    if (part.type === 'text') return [{ ...part, text_elements: [] }]
    if (part.type === 'image' && !isBounded(part.url)) return []
    return [{ ...part, detail: null }]
  })
}

/** The same input as a log keeps it for people: texts as one, then pictures. */
export function userMessageEvent(
  input: readonly UserInput[],
): Extract<StoredEvent, { type: 'user_message' }> {
  const texts = input.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  return {
    type: 'user_message',
    message: texts.join(''),
    images: input.flatMap((part) =>
      part.type === 'image' && isBounded(part.url) ? [part.url] : [],
    ),
    local_images: input.flatMap((part) => (part.type === 'localImage' ? [part.path] : [])),
    text_elements: [],
  }
}

/** The model's server fetches it, or finds fault with it. */
function remoteImageParts(url: string): ContentPart[] {
  if (isBounded(url)) return imageParts('<image>', url)
  return [{ type: 'input_text', text: 'Codex cannot attach an image: larger than 10 MiB.' }]
}

function isBounded(url: string): boolean {
  return url.length <= IMAGE_URL_MAX_CHARACTERS
}

async function localImageParts(path: string, imageNumber: number): Promise<ContentPart[]> {
  try {
    return imageParts(`<image name=[Image #${imageNumber}]>`, await readImageFile(path))
  } catch (error) {
    if (!(error instanceof ImageFileError)) throw error
    const text =
      error.failure === 'unsupported'
        ? `Codex cannot attach image at \`${path}\`: ${error.message}.`
        : `Codex could not read the local image at \`${path}\`: ${error.message}`
    return [{ type: 'input_text', text }]
  }
}

function imageParts(opening: string, image_url: string): ContentPart[] {
  return [
    { type: 'input_text', text: opening },
    { type: 'input_image', image_url, detail: 'high' },
    { type: 'input_text', text: '</image>' },
  ]
}
