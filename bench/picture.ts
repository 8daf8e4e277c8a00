/** One picture of a run: what Bobbin takes of what the others take, on a scale of powers of ten. */
import { median, type Result } from './measure.ts'

const OTHERS = [
  { program: 'codex133', name: 'Codex 0.133.0', colour: '#2f6f9f' },
  { program: 'codex169', name: 'Codex 0.169.0', colour: '#c8782a' },
] as const

const ROW = 18
const TOP = 46
const LEFT = 380
const WIDTH = 460
const LEAST = 0.001
const MOST = 10

interface Line {
  readonly name: string
  readonly shares: readonly { readonly colour: string; readonly share: number }[]
}

/** An SVG, for light and dark pages alike. */
export function picture(results: readonly Result[], title: string): string {
  const lines = results.map(lineOf).filter(({ shares }) => shares.length > 0)
  const height = TOP + lines.length * ROW + 12
  const body = [
    `<title>${safe(title)}</title>`,
    text(10, 18, title, 'font-weight="bold"'),
    ...OTHERS.map(({ name, colour }, index) => {
      const x = LEFT + index * 130
      return `${dot(x, 32, colour)}${text(x + 8, 36, `share of ${name}`)}`
    }),
    ...[0.001, 0.01, 0.1, 1, 10].map((share) => gridLine(share, height)),
    ...lines.map((line, index) => rowOf(line, TOP + index * ROW + ROW)),
  ]
  const size = `width="${LEFT + WIDTH + 20}" height="${height}"`
  const style = 'font-family="sans-serif" font-size="11" fill="#777"'
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${style}>`
  return `${[open, ...body, '</svg>'].join('\n')}\n`
}

function lineOf({ name, samples }: Result): Line {
  const own = samples.bobbin
  const shares = OTHERS.flatMap(({ program, colour }) => {
    const others = samples[program]
    return own && others ? [{ colour, share: median(own) / median(others) }] : []
  })
  return { name, shares }
}

function rowOf({ name, shares }: Line, y: number): string {
  const dots = shares.map(({ share, colour }) => dot(placeOf(share), y - 4, colour))
  return text(LEFT - 10, y, name, 'text-anchor="end"') + dots.join('')
}

function gridLine(share: number, height: number): string {
  const x = placeOf(share)
  const stroke = share === 1 ? '#777' : '#7774'
  const line = `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${height - 8}" stroke="${stroke}"/>`
  return line + text(x, TOP - 2, String(share), 'text-anchor="middle" font-size="9"')
}

function placeOf(share: number): number {
  const within = Math.min(MOST, Math.max(LEAST, share))
  const part = Math.log10(within / LEAST) / Math.log10(MOST / LEAST)
  return Math.round(LEFT + part * WIDTH)
}

function dot(x: number, y: number, colour: string): string {
  return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x}" y="${y}" ${more}>${safe(content)}</text>`
}

function safe(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
