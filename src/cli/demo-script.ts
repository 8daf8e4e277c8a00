import {
  assistantMessage,
  customToolCall,
  functionCall,
  type ScriptedResponse,
} from '../core/index.ts'

/** Files of the scratch project. */
export const DEMO_FILES: { readonly [name: string]: string } = {
  'greet.js': `export function greet() {\n  return 'Hello, world!'\n}\n`,
  'README.md': '# Greeter\n\nSays hello to the world.\n',
}

export const FIRST_PROMPT = 'Let greet() take a name, and keep the world as its default.'
export const SECOND_PROMPT = 'What did you change, in one line?'

const PACE = { delayMs: 12, deltas: 14 }

const PATCH = `*** Begin Patch
*** Update File: greet.js
@@
-export function greet() {
-  return 'Hello, world!'
+export function greet(name = 'world') {
+  return \`Hello, \${name}!\`
 }
*** Update File: README.md
@@
 # Greeter
 
-Says hello to the world.
+Says hello to the world, or to whom you name.
*** End Patch`

const PLAN = {
  plan: [
    { step: 'Read the code', status: 'completed' },
    { step: 'Change greet() and its description', status: 'in_progress' },
  ],
}

/** The first turn: the model reads a file, runs a command, edits by a patch, answers. */
export const FIRST_TURN: readonly ScriptedResponse[] = [
  {
    ...PACE,
    items: [
      assistantMessage('I will read the function before I change it.', { phase: 'commentary' }),
      functionCall('exec_command', { cmd: 'cat greet.js' }, 'call_read'),
    ],
  },
  {
    ...PACE,
    items: [
      assistantMessage('Now who else speaks of the world?', { phase: 'commentary' }),
      functionCall('exec_command', { cmd: 'grep -n world greet.js README.md' }, 'call_search'),
      functionCall('update_plan', PLAN, 'call_plan'),
    ],
  },
  { ...PACE, items: [customToolCall('apply_patch', PATCH, 'call_patch')] },
  {
    ...PACE,
    items: [
      assistantMessage(
        '`greet(name)` now greets whom you name, and the world when you name nobody ' +
          '(`greet.js:1`). The README says so too.',
        { phase: 'final_answer' },
      ),
    ],
  },
]

export const SECOND_TURN: readonly ScriptedResponse[] = [
  {
    ...PACE,
    items: [
      assistantMessage("`greet()` got a `name` parameter with 'world' as its default.", {
        phase: 'final_answer',
      }),
    ],
  },
]
