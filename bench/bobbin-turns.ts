/**
 * Bobbin as the bench drives it: one thread of a scratch home, one turn for each line of standard
 * input, answered with the times of the call and of its last event. Arguments: home, project, base
 * URL.
 */
import { readLinesOf, unixMs, writeLine } from './line-pipe.ts'
import { openManager, settingsIn } from './manager-under-test.ts'

const [home = '', cwd = '', baseUrl = ''] = process.argv.slice(2)

await using managed = openManager(home, baseUrl)
const handle = await managed.manager.start({ settings: settingsIn(cwd) })
let whenEnded: (() => void) | undefined
handle.listen((event) => {
  if (event.type !== 'turnCompleted') return
  if (event.status !== 'completed') throw new Error(`the turn was ${event.status}`)
  whenEnded?.()
})
writeLine('ready')
for await (const line of readLinesOf(process.stdin)) {
  const ended = new Promise<number>((resolve) => {
    whenEnded = () => resolve(unixMs())
  })
  const calledMs = unixMs()
  await handle.startTurn([{ type: 'text', text: line }])
  writeLine(JSON.stringify({ calledMs, endedMs: await ended }))
}
