import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { userMessageEvent, userMessageItem } from './user-content.ts'

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const GIF = Buffer.from('GIF89a')

async function shown(path: string): Promise<string[]> {
  const { content } = await userMessageItem([{ type: 'localImage', path }])
  return content.map((part) => ('text' in part ? part.text : part.image_url))
}

describe("a person's input", () => {
  it('is one message, its pictures numbered, in the order given', async () => {
    await using folder = await TempFolder.create()
    const paths = [folder.at('a.png'), folder.at('b.webp')]
    const [first = '', second = ''] = paths
    await writeFile(first, PNG)
    await writeFile(second, GIF)
    const input = [
      { type: 'localImage', path: first },
      { type: 'text', text: 'and' },
      { type: 'image', url: 'https://example.invalid/c.png' },
      { type: 'localImage', path: second },
      { type: 'text', text: '' },
    ] as const
    const { content, ...rest } = await userMessageItem(input)
    assert.deepEqual(rest, { type: 'message', role: 'user' })
    assert.deepEqual(
      content.map((part) => ('text' in part ? part.text : part.image_url)),
      [
        '<image name=[Image #1]>',
        `data:image/png;base64,${PNG.toString('base64')}`,
        '</image>',
        'and',
        '<image>',
        'https://example.invalid/c.png',
        '</image>',
        '<image name=[Image #3]>',
        `data:image/gif;base64,${GIF.toString('base64')}`,
        '</image>',
        '',
      ],
    )
    assert.deepEqual(userMessageEvent(input), {
      type: 'user_message',
      message: 'and',
      images: ['https://example.invalid/c.png'],
      local_images: paths,
      text_elements: [],
    })
  })

  it('never has what is no picture, not even by its name', { timeout: 5000 }, async () => {
    await using folder = await TempFolder.create()
    const at = (name: string) => folder.at(name)
    await symlink('/dev/zero', at('zero.png'))
    execFileSync('mkfifo', [at('pipe.png')])
    await writeFile(at('huge.png'), '')
    await truncate(at('huge.png'), 10 * 1024 * 1024 + 1)
    await symlink('round.png', at('round.png'))
    await writeFile(at('notes.txt'), 'x')
    await writeFile(at('notes.png'), 'x')
    await mkdir(at('folder.png'))
    const unread = (name: string) => `Codex could not read the local image at \`${at(name)}\`: `
    const refused = (name: string) => `Codex cannot attach image at \`${at(name)}\`: `
    const refusals = {
      'zero.png': `${unread('zero.png')}not a file`,
      'pipe.png': `${unread('pipe.png')}not a file`,
      'folder.png': `${unread('folder.png')}Is a directory (os error 21)`,
      'huge.png': `${unread('huge.png')}larger than 10 MiB`,
      'none.png': `${unread('none.png')}No such file or directory (os error 2)`,
      'notes.txt': `${refused('notes.txt')}unsupported image \`text/plain\`.`,
      'notes.png': `${refused('notes.png')}unsupported image \`image/png\`.`,
    }
    for (const [name, text] of Object.entries(refusals)) {
      assert.deepEqual(await shown(at(name)), [text])
    }
    const [loop = ''] = await shown(at('round.png'))
    assert.match(loop, /^Codex could not read the local image at .*ELOOP/)
  })

  it('has no remote picture that is too large, neither for the model nor in the log', async () => {
    const input = [{ type: 'image', url: `data:image/png;base64,${'A'.repeat(15 << 20)}` }] as const
    const { content } = await userMessageItem(input)
    const text = 'Codex cannot attach an image: larger than 10 MiB.'
    assert.deepEqual(content, [{ type: 'input_text', text }])
    assert.deepEqual(userMessageEvent(input).images, [])
  })
})
