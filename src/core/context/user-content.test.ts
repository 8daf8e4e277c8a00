import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { userMessageEvent, userMessageItem } from './user-content.ts'

async function shown(path: string): Promise<string[]> {
  const { content } = await userMessageItem([{ type: 'localImage', path }])
  return content.map((part) => ('text' in part ? part.text : part.image_url))
}

describe("a person's input", () => {
  it('is one message, its pictures numbered, in the order given', async () => {
    await using folder = await TempFolder.create()
    const paths = [folder.at('a.png'), folder.at('b.webp')]
    for (const path of paths) await writeFile(path, 'x')
    const [first = '', second = ''] = paths
    const input = [
      { type: 'localImage', path: first },
      { type: 'text', text: 'and' },
      { type: 'localImage', path: second },
      { type: 'text', text: '' },
    ] as const
    const { content, ...rest } = await userMessageItem(input)
    assert.deepEqual(rest, { type: 'message', role: 'user' })
    assert.deepEqual(
      content.map((part) => ('text' in part ? part.text : part.image_url)),
      [
        '<image name=[Image #1]>',
        'data:image/png;base64,eA==',
        '</image>',
        'and',
        '<image name=[Image #2]>',
        'data:image/webp;base64,eA==',
        '</image>',
        '',
      ],
    )
    assert.deepEqual(userMessageEvent(input), {
      type: 'user_message',
      message: 'and\n',
      images: [],
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
    const refusals = new Map([
      ['zero.png', /: not a file$/],
      ['pipe.png', /: not a file$/],
      ['huge.png', /: larger than 10 MiB$/],
      ['round.png', /ELOOP/],
      ['notes.txt', /: unsupported image format$/],
      ['none.png', /: No such file or directory \(os error 2\)$/],
    ])
    for (const [name, reason] of refusals) {
      const [text = '', ...others] = await shown(at(name))
      assert.deepEqual(others, [])
      assert.ok(text.startsWith(`Codex could not read the local image at \`${at(name)}\`: `))
      assert.match(text, reason)
    }
  })
})
