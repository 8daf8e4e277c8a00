/** `docs/parity.md`: what the scripts compare, where the two programs differ, and why. */
import { join } from 'node:path'
import type { Records } from '../methods/record.ts'
import { committedRecords, methodDifferenceRows, renderMethods } from '../methods/table.ts'
import { DIFFERENCES, type Difference, type DifferenceId, differenceOf } from './differences.ts'
import { ALL_FAULTS } from './faults.ts'
import { normalisations } from './normalise.ts'
import { PENDING } from './pending.ts'
import type { SessionScript, Subject } from './script.ts'
import { SUBJECTS } from './subjects.ts'

export const PARITY_FILE = join(import.meta.dirname, '..', '..', '..', 'docs', 'parity.md')

/**
 * The document. It holds what the tests hold: a difference that a script names and that does not
 * occur fails its test, and so does one that occurs and is not named.
 */
export function renderParity(records: Records = committedRecords()): string {
  const parts = [
    intro(),
    renderMethods(records),
    ...SUBJECTS.map(subjectTable),
    differences(),
    faults(),
  ]
  parts.push(normalised())
  return `${parts.join('\n\n')}\n`
}

function intro(): string {
  const scripts = SUBJECTS.flatMap((subject) => subject.scripts)
  const pending = scripts.filter((script) => PENDING[script.name] !== undefined)
  const played = scripts.filter((script) => PENDING[script.name] === undefined)
  const same = played.filter((script) => namedBy(script).length === 0)
  const differing = played.length - same.length
  const counts = [
    `${scripts.length} scripts: ${same.length} the same, ${differing} that differ`,
    `for a reason, ${pending.length} that wait for something to be built.`,
  ].join(' ')
  return `# Parity with Codex 0.133.0

The same script is played into the app servers of real Codex and of Bobbin. What is compared: the
model requests, the lines of the rollout, what clients are told live, and the answers and words of
refusals. \`npm run conformance\` plays them, and compares the answers to single requests; it notes
what it has compared, and fails when this file says something else.
\`npm run conformance -- --write-parity\` writes it.

${counts}`
}

function subjectTable({ title, scripts }: Subject): string {
  const rows = scripts.map((script) => `| ${script.name} | ${resultOf(script)} |`)
  return [`## ${title}`, '', '| script | result |', '|---|---|', ...rows].join('\n')
}

function resultOf(script: SessionScript): string {
  const waitsFor = PENDING[script.name]
  if (waitsFor !== undefined) return `waits for: ${waitsFor}`
  const named = namedBy(script)
  return named.length === 0 ? 'same' : `differs: ${named.map((id) => `[${id}](#${id})`).join(', ')}`
}

function namedBy(script: SessionScript): readonly DifferenceId[] {
  return script.differences ?? []
}

function differences(): string {
  const rows = Object.keys(DIFFERENCES).map((id) => {
    const { what, reason, isBetter, isRacy }: Difference = differenceOf(id as DifferenceId)
    const name = `<a id="${id}"></a>${id}${isRacy ? ' (not always)' : ''}`
    return `| ${name} | ${what} | ${reason} | ${isBetter ? 'yes' : 'no'} |`
  })
  const head = ['| difference | what | why it may be | better? |', '|---|---|---|---|']
  return ['## Differences', '', ...head, ...rows, ...methodDifferenceRows()].join('\n')
}

function faults(): string {
  if (ALL_FAULTS.length === 0) return '## To be mended\n\nNothing is known.'
  const rows = ALL_FAULTS.map(({ what, witness }) => `| ${what} | ${witness} |`)
  const head = ['| what real Codex does | seen in |', '|---|---|']
  const intro = 'Differences without a good reason. They are passed over wherever they occur.'
  return ['## To be mended', '', intro, '', ...head, ...rows].join('\n')
}

function normalised(): string {
  const rows = normalisations().map(({ what, why }) => `| ${what} | ${why} |`)
  const head = ['| what | why |', '|---|---|']
  return ['## Not compared', '', ...head, ...rows].join('\n')
}
