import { arrayAt, isObject, stringAt } from '../../../../src/base/index.ts'
import type { DifferenceId } from '../differences.ts'
import {
  type AskedModel,
  customToolCall,
  functionCall,
  type ModelScript,
  type ModelStep,
} from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import type { Stage } from '../stage.ts'
import { comments, concludes, patches, plans, runs, says } from './say.ts'

const COMMAND: readonly DifferenceId[] = ['command-kept']
const SLOW: readonly DifferenceId[] = ['command-kept', 'command-completed']

function inOneTurn(
  name: string,
  steps: readonly ModelStep[],
  differences: readonly DifferenceId[] = [],
): SessionScript {
  const model = [...steps, concludes('Done.')]
  const play = async (stage: Stage) => {
    await stage.turn(await stage.start(), 'do it')
    // Codex tells the end of some commands late.
    if (differences.includes('command-completed') || differences.includes('parallel-order')) {
      await stage.commandsEnded()
    }
  }
  return { name, model, play, differences }
}

/** The session id that the last output of the request names. */
function sessionOf({ body }: AskedModel): number {
  const outputs = (arrayAt(body, 'input') ?? []).filter(isObject)
  const texts = outputs.map((item) => stringAt(item, 'output') ?? '').join('\n')
  return Number(/session ID (\d+)/.exec(texts)?.[1])
}

function writes(callId: string, chars: string, then: readonly ModelStep[] = []): ModelScript {
  return (request, index) => {
    if (index === 0) return says(runs('sleep 0.7; echo late', 'call_1', { yield_time_ms: 250 }))
    if (index === 1) {
      const session_id = sessionOf(request)
      return says(functionCall('write_stdin', { session_id, chars }, callId))
    }
    return then[index - 2] ?? concludes('Done.')
  }
}

const commands: readonly SessionScript[] = [
  inOneTurn('a command', [says(comments('Reading.'), runs('cat a.txt', 'call_1'))], COMMAND),
  inOneTurn(
    'a command that fails',
    [says(runs('echo out; sleep 0.2; echo err >&2; exit 3', 'call_1'))],
    [...SLOW, 'command-output-whole'],
  ),
  inOneTurn('a command without output', [says(runs('true', 'call_1'))], COMMAND),
  inOneTurn(
    'a command in another folder',
    [says(runs('pwd', 'call_1', { workdir: '..' }))],
    COMMAND,
  ),
  inOneTurn(
    'a command in a folder that is not there',
    [says(runs('pwd', 'call_1', { workdir: 'nowhere' }))],
    [...COMMAND, 'unstarted-command-ends'],
  ),
  inOneTurn(
    'a shell without login',
    [says(runs('echo $0', 'call_1', { shell: '/bin/sh', login: false }))],
    COMMAND,
  ),
  inOneTurn('more output than the model reads', [says(runs('seq 1 30000', 'call_1'))], COMMAND),
  inOneTurn(
    'a budget for the output',
    [says(runs('seq 1 3000', 'call_1', { max_output_tokens: 200 }))],
    COMMAND,
  ),
  inOneTurn(
    'calls one after the other',
    [says(runs('echo one > b.txt', 'call_1')), says(runs('cat b.txt', 'call_2'))],
    COMMAND,
  ),
  inOneTurn(
    'parallel calls, the second faster',
    [says(runs('sleep 0.4; echo slow', 'call_slow'), runs('echo fast', 'call_fast'))],
    [...COMMAND, 'parallel-order'],
  ),
  {
    name: 'a command that outlives its answer and is waited for',
    model: writes('call_2', ''),
    play: async (stage) => {
      await stage.turn(await stage.start(), 'wait')
      await stage.commandsEnded()
    },
    differences: SLOW,
  },
  {
    name: 'a command that outlives its turn',
    model: [
      says(runs('sleep 0.8; echo late', 'call_1', { yield_time_ms: 250 })),
      concludes('It runs.'),
      concludes('Next.'),
    ],
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'start it')
      await stage.itemCompleted('commandExecution')
      await stage.turn(thread, 'and then?')
    },
    differences: COMMAND,
  },
  {
    name: 'words to a command without a terminal',
    model: writes('call_2', 'hello\n'),
    play: async (stage) => {
      await stage.turn(await stage.start(), 'talk')
      await stage.commandsEnded()
    },
    differences: COMMAND,
  },
]

const refusals: readonly SessionScript[] = [
  inOneTurn('arguments without a member', [says(functionCall('exec_command', { x: 1 }, 'call_1'))]),
  inOneTurn('arguments that are no JSON', [
    says(functionCall('exec_command', '{"cmd":', 'call_1')),
  ]),
  inOneTurn('a tool that nobody knows', [says(functionCall('no_such_tool', { x: 1 }, 'call_1'))]),
  inOneTurn('a custom tool that nobody knows', [says(customToolCall('no_such', 'x', 'call_1'))]),
  inOneTurn(
    'a function called as a custom tool',
    [says(customToolCall('update_plan', 'x', 'call_1'))],
    ['wrong-kind-answered'],
  ),
  inOneTurn(
    'a custom tool called as a function',
    [says(functionCall('apply_patch', { input: 'x' }, 'call_1'))],
    ['wrong-kind-answered'],
  ),
  inOneTurn('words to a process that is not there', [
    says(functionCall('write_stdin', { session_id: 999999, chars: 'x' }, 'call_1')),
  ]),
]

const patching: readonly SessionScript[] = [
  inOneTurn('a patch', [
    says(patches('call_1', '*** Update File: a.txt', '@@', ' one', '-two', '+TWO')),
  ]),
  inOneTurn('a patch that adds, deletes and moves', [
    says(
      patches(
        'call_1',
        '*** Add File: c/new.txt',
        '+new',
        '*** Update File: a.txt',
        '*** Move to: d/moved.txt',
        '@@',
        ' one',
        '-two',
        '+TWO',
        '*** Delete File: AGENTS.md',
      ),
    ),
  ]),
  inOneTurn('two patches in one turn', [
    says(patches('call_1', '*** Add File: b.txt', '+one')),
    says(patches('call_2', '*** Update File: b.txt', '@@', '-one', '+two')),
  ]),
  inOneTurn('a patch whose lines are not there', [
    says(patches('call_1', '*** Update File: a.txt', '@@', '-nowhere', '+x')),
  ]),
  inOneTurn('a patch of a file that is not there', [
    says(patches('call_1', '*** Delete File: missing.txt')),
  ]),
  inOneTurn('a patch in a form that is none', [says(customToolCall('apply_patch', 'x', 'call_1'))]),
  inOneTurn('a patch of which one part is bad', [
    says(
      patches(
        'call_1',
        '*** Add File: b.txt',
        '+new',
        '*** Update File: a.txt',
        '@@',
        '-nowhere',
        '+x',
      ),
    ),
  ]),
  inOneTurn('a patch in the form of a shell command', [
    says(
      runs(
        "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: b.txt\n+new\n*** End Patch\nEOF\n",
        'call_1',
      ),
    ),
  ]),
  inOneTurn('a patch undone by another', [
    says(patches('call_1', '*** Add File: b.txt', '+one')),
    says(patches('call_2', '*** Delete File: b.txt')),
  ]),
]

const planning: readonly SessionScript[] = [
  inOneTurn('a plan and its progress', [
    says(plans('call_1', 'in_progress', 'pending')),
    says(plans('call_2', 'completed', 'completed')),
  ]),
  inOneTurn('a plan of a state that nobody knows', [says(plans('call_1', 'bogus'))]),
]

export const subject: Subject = {
  title: 'Tools',
  scripts: [...commands, ...refusals, ...patching, ...planning],
}
