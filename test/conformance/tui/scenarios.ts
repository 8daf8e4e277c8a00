/** What is done with the TUI, key by key, in both worlds at once. */
import type { JsonObject } from '../../../src/base/index.ts'
import { concludes, patches, runs, says } from '../scripts.ts'
import { assistantMessage, type ModelScript, type ModelStep } from '../session/model-server.ts'
import type { BothWorlds, Screens } from './both-worlds.ts'

export interface Scenario {
  readonly name: string
  readonly script: ModelScript
  readonly play: (worlds: BothWorlds) => Promise<void>
}

/** Streams half of the text, and the rest when the gate is opened. */
function streams(text: string, gate: string, ...more: JsonObject[]): ModelStep {
  const message = assistantMessage(text, { phase: 'final_answer' })
  return { ...says(message, ...more), deltas: 4, holds: [{ gate, before: 4 }] }
}

async function opened(worlds: BothWorlds, flags: readonly string[] = []): Promise<Screens> {
  const screens = worlds.open([], flags)
  await screens.same(READY)
  return screens
}

/** The status line below the composer, which is drawn once the thread is there. */
const READY = /gpt-5\.4 default · /

const talk: Scenario = {
  name: 'a thread, a streamed answer, an approval, names in the picker, a resume',
  script: [
    streams('First line.\n\nSecond line of **it**.\n', 'half'),
    says(runs('rm -f x.txt', 'call_rm')),
    concludes('It is gone.'),
    concludes('Another thread.'),
    concludes('Back again.'),
  ],
  async play(worlds) {
    const screens = await opened(worlds)
    await screens.send('hello you')
    await worlds.reached('half')
    await screens.same(/First line/)
    worlds.go('half')
    await screens.same(/Second line of it/)
    await screens.send('remove x')
    await screens.same(/Would you like to run[\s\S]*rm -f x\.txt/)
    screens.type('y')
    await screens.same(/It is gone/)
    await screens.send('/rename Garden')
    await screens.same(/renamed|Renamed/)
    await screens.send('/new')
    await screens.send('somewhere else')
    await screens.same(/Another thread/)
    await screens.send('/resume')
    await screens.same(/Garden/)
    screens.press('escape')
    await screens.same(/Another thread/)
    await screens.send('/resume')
    await screens.same(/Garden/)
    screens.type('Garden')
    await screens.same(/Garden/)
    screens.press('enter')
    await screens.same(/It is gone/)
    await screens.send('and now?')
    await screens.same(/Back again/)
    await screens.send('/quit')
    await screens.exit()
  },
}

const patch: Scenario = {
  name: 'a patch that is asked for, and one that is refused',
  script: [
    says(patches(['*** Update File: a.txt', '@@', ' one', '-two', '+TWO'], 'call_patch')),
    concludes('Patched.'),
    says(patches(['*** Add File: b.txt', '+new'], 'call_patch_2')),
    concludes('Not patched.'),
  ],
  async play(worlds) {
    const screens = await opened(worlds, ['-s', 'read-only'])
    await screens.send('patch it')
    await screens.same(/Would you like to make/)
    screens.type('y')
    await screens.same(/Patched/)
    await screens.send('patch more')
    await screens.same(/Would you like to make/)
    screens.press('escape')
    await screens.same(/interrupted|canceled/i)
    screens.press('ctrlC')
    await screens.see(/again to quit/)
    screens.press('ctrlC')
    await screens.exit()
  },
}

export const scenarios: readonly Scenario[] = [talk, patch]
