import { isAbsolute } from 'node:path'
import { shellQuote } from '../../../base/index.ts'
import type { ParsedCommand } from '../../../protocol/index.ts'
import { programAction } from './program-action.ts'
import { type ShellWord, splitShellWords } from './shell-words.ts'

/** Nobody reads a longer one, and telling what it does would take its time. */
const LONGEST_SCRIPT = 10_000
const MOST_ACTIONS = 100

const SHELLS = new Set(['bash', 'zsh', 'sh'])

/**
 * What a command line reads, lists and searches, in the rollout's spelling, for people to see. It
 * is all of that or a single `unknown`; empty when only the folder changes. What only forms the
 * output of something else is left out. A very long one is `unknown`. Source: observed, 0.133.0.
 */
export function parsedCommands(argv: readonly string[]): ParsedCommand[] {
  const script = scriptOf(argv)
  if (script === undefined) return [{ type: 'unknown', cmd: shellQuote(argv) }]
  const isShort = script.length <= LONGEST_SCRIPT
  const segments = isShort ? splitShellWords(script) : undefined
  const parsed = segments && parsedSegments(segments, script)
  const isTellable = parsed !== undefined && parsed.length <= MOST_ACTIONS
  return isTellable ? parsed : [{ type: 'unknown', cmd: script }]
}

function scriptOf([shell = '', flag, script, ...rest]: readonly string[]): string | undefined {
  const isShell = SHELLS.has(shell.split('/').at(-1) ?? '') && rest.length === 0
  return isShell && (flag === '-c' || flag === '-lc') ? script : undefined
}

/** Undefined when there is something among them of which nobody can tell what it does. */
function parsedSegments(
  segments: readonly (readonly ShellWord[])[],
  script: string,
): ParsedCommand[] | undefined {
  const [only] = segments
  const isSingle = segments.length === 1
  const told = isSingle ? segments : segments.filter((words) => !isForming(rawWords(words)))
  const found: ParsedCommand[] = []
  let folder: string | undefined
  for (const words of told) {
    const raw = rawWords(words)
    if (raw[0] === 'cd') folder = changedFolder(folder, raw.slice(1))
    else if (raw[0] !== 'echo' || found.length > 0) {
      const action = programAction(raw)
      if (!action) return undefined
      const cmd = shellQuote(isSingle ? words.map(({ text }) => text) : raw)
      const whole: ParsedCommand =
        action.type === 'read'
          ? { ...action, cmd, path: inFolder(folder, action.path) }
          : { ...action, cmd }
      if (!isSame(found.at(-1), whole)) found.push(whole)
    }
  }
  if (found.length === 0) {
    const isMoving = segments.every((words) => words[0]?.text === 'cd')
    return only && isMoving ? [] : undefined
  }
  return found.length === 1 && isReadingLines(segments, script)
    ? found.map((each) => (each.type === 'read' ? { ...each, cmd: script } : each))
    : found
}

function rawWords(words: readonly ShellWord[]): string[] {
  return words.map(({ raw }) => raw)
}

function isSame(a: ParsedCommand | undefined, b: ParsedCommand): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

const FORMING = new Set('column cut printf sort tee tr true uniq wc yes'.split(' '))

/** Whether a part of a longer command line only forms what another one says. */
function isForming([program = '', ...args]: readonly string[]): boolean {
  if (FORMING.has(program)) return true
  const isReading = programAction([program, ...args]) !== undefined
  if (program === 'head' || program === 'tail') return !isReading && isCount(args)
  if (program === 'sed' || program === 'awk') return !isReading
  if (program === 'nl') return args.every((arg) => arg.startsWith('-'))
  return program === 'xargs' && !isChangingFiles(args)
}

function isCount([first = '-', ...rest]: readonly string[]): boolean {
  if (rest.length === 0) return first.startsWith('-')
  return rest.length === 1 && (first === '-n' || first === '-c')
}

function isChangingFiles(args: readonly string[]): boolean {
  const has = (pattern: RegExp) => args.some((arg) => pattern.test(arg))
  if (args.includes('sed')) return has(/^(-i|--in-place)/)
  return (args.includes('perl') || args.includes('ruby')) && has(/^-[a-z]*i/)
}

/** `cat FILE | sed -n 3,9p` is told whole: the lines belong to it. */
function isReadingLines(segments: readonly (readonly ShellWord[])[], script: string): boolean {
  const isPrinting = segments.some((words) =>
    words.some(({ text }, at) => text === 'sed' && words[at + 1]?.text === '-n'),
  )
  return isPrinting && script.split(/\s+/).includes('|')
}

function changedFolder(folder: string | undefined, args: readonly string[]): string | undefined {
  const target = args.findLast((arg) => !arg.startsWith('-'))
  return target === undefined ? folder : inFolder(folder, target)
}

function inFolder(folder: string | undefined, path: string): string {
  if (folder === undefined || isAbsolute(path)) return path
  return `${folder.replace(/\/+$/, '')}/${path}`
}
