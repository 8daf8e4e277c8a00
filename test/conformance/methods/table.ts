/** The part of `docs/parity.md` that goes method by method, from what the runs have noted. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstRoutes, loadOtherRoutes } from '../../../src/app-server/handlers/index.ts'
import { METHOD_NAMES } from '../../../src/app-server/protocol/method-names.ts'
import type { ServerContext } from '../../../src/app-server/server-context.ts'
import { METHOD_DIFFERENCES, type MethodDifference } from './differences.ts'
import type { Records } from './record.ts'
import { UNSUPPORTED } from './unsupported.ts'

export const RECORDS_FILE = join(import.meta.dirname, 'compared-methods.json')

export function committedRecords(): Records {
  return JSON.parse(readFileSync(RECORDS_FILE, 'utf8')) as Records
}

const MOST_NAMED = 3

const NOTHING = {} as ServerContext
const ROUTES = [...firstRoutes(NOTHING), ...(await loadOtherRoutes(NOTHING))]

interface Row {
  readonly method: string
  readonly result: string
  readonly files: readonly string[]
}

/** A row for each method of 0.133.0, and for those that Bobbin has of later versions. */
export function methodRows(records: Records): Row[] {
  const served = servedMethods()
  const later = served.filter((name) => !METHOD_NAMES.some((each) => each === name))
  return [...METHOD_NAMES, ...later].map((method) => {
    const files = Object.keys(records).filter((file) => records[file]?.[method])
    return { method, result: resultOf(method, served.includes(method), records), files }
  })
}

export function servedMethods(): string[] {
  return ['initialize', ...ROUTES.map(({ method }) => method.name)]
}

function resultOf(method: string, isServed: boolean, records: Records): string {
  if (!isServed) {
    const reason = (UNSUPPORTED as { readonly [name: string]: string | undefined })[method]
    return reason === undefined ? 'not supported' : `not supported: ${reason}`
  }
  const own = Object.values(records).flatMap((methods) => methods[method] ?? [])
  if (own.length === 0) return 'not compared'
  const differences = [...new Set(own.flatMap((each) => each.differences))].sort()
  const links = differences.map((id) => `[${id}](#${id})`).join(', ')
  const isAnswered = own.some((each) => each.isAnswered)
  const what = isAnswered ? '' : ' (refusals alone)'
  return differences.length === 0 ? `same${what}` : `differs${what}: ${links}`
}

export function renderMethods(records: Records): string {
  const rows = methodRows(records)
  const isSame = ({ result }: Row) => result.startsWith('same')
  const isDiffering = ({ result }: Row) => result.startsWith('differs')
  const isMissing = ({ result }: Row) => result.startsWith('not supported')
  const known = rows.filter(({ method }) => METHOD_NAMES.some((each) => each === method))
  const count = (is: (row: Row) => boolean) => known.filter(is).length
  const open = count(({ result }) => result === 'not compared')
  const counts = [
    `${known.length} methods of 0.133.0: ${count(isSame)} the same, ${count(isDiffering)} that`,
    `differ as named, ${count(isMissing)} not supported, ${open} not compared.`,
  ].join(' ')
  const later = rows.length - known.length
  const table = rows.map(({ method, result, files }) => {
    return `| \`${method}\` | ${result} | ${placesOf(files)} |`
  })
  return `## Methods

${counts}
The last ${later} rows are methods of later versions, compared with 0.169.0.

A method is the same when a run has sent it to both servers and the answers, and the notifications
that are compared with them, were the same but for what is of the run. What turns tell and keep is
compared by the scripts below. Methods that are not supported are answered with -32601.

| method | answers | compared in |
|---|---|---|
${table.join('\n')}`
}

/** Where it was compared: most scripts begin in the same way, and need not all be named. */
function placesOf(files: readonly string[]): string {
  const names = files.map((file) => file.replace(/\.test\.ts$/, ''))
  const sessions = names.filter((name) => name.startsWith('session/'))
  if (sessions.length <= MOST_NAMED) return names.join(', ')
  const others = names.filter((name) => !sessions.includes(name))
  return [...others, `${sessions.length} of session/`].join(', ')
}

export function methodDifferenceRows(): string[] {
  return Object.entries<MethodDifference>(METHOD_DIFFERENCES).map(
    ([id, { what, reason, isBetter }]) =>
      `| <a id="${id}"></a>${id} | ${what} | ${reason} | ${isBetter ? 'yes' : 'no'} |`,
  )
}
