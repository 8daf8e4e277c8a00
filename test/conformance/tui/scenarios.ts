/** What is done with the TUI, key by key, in both worlds at once. */
import { arrayAt, type JsonObject } from '../../../src/base/index.ts'
import { concludes, patches, runs, says } from '../scripts.ts'
import {
  type AskedModel,
  assistantMessage,
  type ModelScript,
  type ModelStep,
  refusal,
} from '../session/model-server.ts'
import type { BothWorlds, Screens } from './both-worlds.ts'
import { TOKEN_VARIABLE } from './side.ts'
import { KEY } from './terminal.ts'

export interface Scenario {
  readonly name: string
  /** The answers to turns, in order. */
  readonly script: readonly ModelStep[]
  /** Bobbin runs as it does by default, with a token of its own; otherwise open to all. */
  readonly needsToken?: true
  readonly play: (worlds: BothWorlds) => Promise<void>
}

/** A title for the thread, which the newer TUI asks for at any time, is not to be had. */
export function answering(steps: readonly ModelStep[]): ModelScript {
  return (request, _index, asked) => {
    if (isForTitle(request)) return refusal(400, 'no titles')
    const index = asked.filter((each) => !isForTitle(each)).length - 1
    return steps[index] ?? refusal(400, `the script has no step ${index + 1}`)
  }
}

function isForTitle({ body }: AskedModel): boolean {
  return /\btitles?\b/i.test(JSON.stringify(arrayAt(body, 'input')?.at(-1) ?? ''))
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
/** A turn runs: 0.133.0 draws that, the newer one what has been streamed of its answer. */
const WORKING = /esc to interrupt|• Never/
const READY = /gpt-5\.\d default · /i

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
    await screens.done(/Second line of it/)
    await screens.send('remove x')
    await screens.same(/Would you like to run[\s\S]*rm -f x\.txt/)
    await screens.answer('y', /Would you like/)
    await screens.done(/It is gone/)
    await screens.send('/rename Garden')
    await screens.same(/renamed|· Garden/i)
    await screens.send('/new')
    await screens.same(/<example>/)
    await screens.send('somewhere else')
    await screens.done(/Another thread/)
    await screens.send('/resume')
    await screens.same(/Resume a previous session[\s\S]*Garden/)
    screens.press('escape')
    await screens.same(/Another thread/)
    await screens.send('/resume')
    await screens.same(/Resume a previous session[\s\S]*Garden/)
    screens.type('Gard')
    await screens.same(/Search: Gard\b[\s\S]*Garden/)
    screens.press('enter')
    await screens.same(/It is gone/)
    await screens.send('and now?')
    await screens.done(/Back again/)
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
  ],
  async play(worlds) {
    const screens = await opened(worlds, ['-s', 'read-only'])
    await screens.send('patch it')
    await screens.same(/Would you like to make/)
    await screens.answer('y', /Would you like/)
    await screens.done(/Patched/)
    await screens.send('patch more')
    await screens.same(/Would you like to make/)
    await screens.answer(KEY.escape, /Would you like/)
    await screens.same(/interrupted|canceled/i)
    screens.press('ctrlC')
    await screens.exit()
  },
}

const stops: Scenario = {
  name: 'an answer that is stopped, a declined command, steering, a compaction',
  script: [
    streams('Never told to the end of it, whatever comes.', 'stopped'),
    says(runs('rm -f x.txt', 'call_rm')),
    says(runs('until test -e go.txt; do sleep 0.05; done', 'call_wait')),
    concludes('Steered.'),
    concludes('A summary.'),
    concludes('After the summary.'),
  ],
  async play(worlds) {
    const screens = await opened(worlds)
    await screens.send('tell me')
    await worlds.reached('stopped')
    await screens.see(WORKING)
    screens.press('escape')
    await screens.same(/Conversation interrupted/)
    await screens.send('remove x')
    await screens.same(/Would you like to run/)
    await screens.answer(KEY.escape, /Would you like/)
    await screens.same(/You canceled[\s\S]*Conversation interrupted/)
    await screens.send('do the thing')
    await screens.see(/Running until|1 background terminal/)
    await screens.send('but quickly')
    await screens.see(/↳ but quickly|but quickly\s[\s\S]*<example>/)
    await worlds.write('go.txt')
    await screens.done(/• Steered/)
    await screens.send('!echo from the shell')
    await screens.done(/You ran echo[\s\S]*└ from the shell/)
    await screens.send('/compact')
    await screens.same(/Context compacted/)
    await screens.send('go on')
    await screens.done(/After the summary/)
    await screens.send('/quit')
    await screens.exit()
  },
}

const forks: Scenario = {
  name: 'a fork, a review, and the last thread resumed by the command line',
  script: [
    concludes('The root.'),
    concludes('On the branch.'),
    concludes(
      '{"findings": [], "overall_correctness": "patch is correct", '.concat(
        '"overall_explanation": "All is well.", "overall_confidence_score": 0.9}',
      ),
    ),
    concludes('Once more.'),
  ],
  async play(worlds) {
    const screens = await opened(worlds)
    await screens.send('the beginning')
    await screens.done(/The root/)
    await screens.send('/fork')
    await screens.same(/forked/i)
    await screens.send('branch off')
    await screens.done(/On the branch/)
    await screens.send('/review look at a.txt')
    await screens.done(/All is well/)
    await screens.send('/quit')
    await screens.exit()
    const again = worlds.open(['resume', '--last'])
    await again.same(/On the branch/)
    await again.send('and on')
    await again.done(/Once more/)
    await again.send('/quit')
    await again.exit()
  },
}

const together: Scenario = {
  name: 'two TUIs on one thread',
  script: [
    concludes('Seen by one.'),
    streams('Seen by both of them.', 'both'),
    concludes('Third.'),
  ],
  async play(worlds) {
    const first = await opened(worlds)
    await first.send('first words')
    await first.done(/Seen by one/)
    const second = worlds.open(['resume', '--last'])
    await second.same(/Seen by one/)
    await first.send('second words')
    await worlds.reached('both')
    worlds.go('both')
    await first.done(/Seen by both of them/)
    await second.same(/Seen by both of them/)
    await second.send('third words')
    await second.done(/Third/)
    await first.same(/Third/)
    await second.send('/quit')
    await second.exit()
    await first.send('/quit')
    await first.exit()
  },
}

const token: Scenario = {
  name: 'a server that wants its token',
  script: [concludes('Let in.')],
  needsToken: true,
  async play(worlds) {
    const screens = await opened(worlds, ['--remote-auth-token-env', TOKEN_VARIABLE])
    await screens.send('may I?')
    await screens.done(/Let in/)
    await screens.send('/quit')
    await screens.exit()
  },
}

export const scenarios: readonly Scenario[] = [talk, patch, stops, forks, together, token]
