import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { runTurn, SessionKit, Watch } from '../../../test/support/session-kit.ts'
import { functionCall } from '../model/script.ts'

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')
const done = { items: [] }

function views(args: { [name: string]: string | number }, callId: string) {
  return functionCall('view_image', args, callId)
}

async function answers(kit: SessionKit, args: Parameters<typeof views>[0][]): Promise<unknown[]> {
  kit.model.add({ items: args.map((each, index) => views(each, `call_${index}`)) }, done)
  await runTurn(await kit.start(), 'look')
  return kit.payloads('response_item function_call_output').map(({ output }) => output)
}

describe('view_image [D5]', () => {
  it('shows a picture to the model, and that it did to the person, live and later', async () => {
    await using kit = await SessionKit.open([])
    const path = kit.at('project', 'a.dat')
    await writeFile(path, PNG)
    kit.model.add({ items: [views({ path: 'a.dat', detail: 'original' }, 'call_1')] }, done)
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId } = await runTurn(handle, 'look')
    const item = { type: 'imageView', id: 'call_1', path } as const
    assert.deepEqual(
      watch.events.filter((event) => 'item' in event && event.item.type === 'imageView'),
      [
        { type: 'itemStarted', turnId, item },
        { type: 'itemCompleted', turnId, item },
      ],
    )
    const image_url = `data:image/png;base64,${PNG.toString('base64')}`
    const output = [{ type: 'input_image', image_url, detail: 'original' }]
    assert.deepEqual(kit.model.requests[1]?.input.at(-1), {
      type: 'function_call_output',
      call_id: 'call_1',
      output,
    })
    assert.deepEqual(kit.payloads('event_msg view_image_tool_call'), [
      { type: 'view_image_tool_call', call_id: 'call_1', path },
    ])
    assert.deepEqual(kit.turns()[0]?.items[1], item)
  })

  it('answers in the words of 0.133.0 why it cannot', { timeout: 10_000 }, async () => {
    await using kit = await SessionKit.open([])
    const at = (name: string) => kit.at('project', name)
    await writeFile(at('notes.txt'), 'x')
    await writeFile(at('notes'), 'x')
    await writeFile(at('big.png'), PNG)
    await truncate(at('big.png'), 10 * 1024 * 1024 + 1)
    await symlink('/dev/zero', at('zero.png'))
    execFileSync('mkfifo', [at('pipe.png')])
    const found = await answers(kit, [
      { path: 'none.png' },
      { path: '.' },
      { path: 'pipe.png' },
      { path: 'zero.png' },
      { path: 'notes.txt' },
      { path: 'notes' },
      { path: 'big.png' },
      { path: 'a.png', detail: 'low' },
      { path: 5 },
      {},
    ])
    const missing = 'No such file or directory (os error 2)'
    assert.deepEqual(found, [
      `unable to locate image at \`${at('none.png')}\`: ${missing}`,
      `image path \`${kit.project}\` is not a file`,
      `image path \`${at('pipe.png')}\` is not a file`,
      `image path \`${at('zero.png')}\` is not a file`,
      `unable to process image at \`${at('notes.txt')}\`: unsupported image \`text/plain\``,
      `unable to process image at \`${at('notes')}\`: unsupported image \`unknown\``,
      `unable to process image at \`${at('big.png')}\`: larger than 10 MiB`,
      'view_image.detail only supports `high` or `original`; omit `detail` for default high ' +
        'resized behavior, got `low`',
      'failed to parse function arguments: invalid type: integer `5`, expected a string ' +
        'at line 1 column 9',
      'failed to parse function arguments: missing field `path` at line 1 column 2',
    ])
    assert.deepEqual(kit.payloads('event_msg view_image_tool_call'), [])
  })
})
