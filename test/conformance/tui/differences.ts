/** What Bobbin's screens show otherwise than the real server's, and why that stays. */

export interface Difference {
  readonly version: '0.133.0' | '0.169.0'
  readonly reason: string
  /** On whose screens alone it is. */
  readonly on: 'bobbin' | 'codex'
  /** Left out; lines that are blank without it, too. */
  readonly shown: RegExp
}

export const differences: readonly Difference[] = [
  {
    version: '0.169.0',
    reason: 'Warnings are counted, and those of Bobbin’s below are among them.',
    on: 'codex',
    shown: /⚠ \d warnings? · f2 to view/g,
  },
  {
    version: '0.133.0',
    reason: 'The warning of long threads is in Bobbin’s own words; this is the real one’s …',
    on: 'codex',
    shown: /⚠ Heads up: Long threads[^.]*\.[^.]*\./g,
  },
  {
    version: '0.133.0',
    reason: '… and this is Bobbin’s.',
    on: 'bobbin',
    shown: /⚠ Long threads that[^.]*\./g,
  },
  {
    version: '0.133.0',
    reason: 'Commands are told with the source `agent`, so the TUI shows long ones as all others.',
    on: 'bobbin',
    shown: /• Ran until test -e go\.txt; do sleep 0\.05; done\s+└ \(no output\)/g,
  },
  {
    version: '0.133.0',
    reason: 'Bobbin keeps commands with the thread, so that a resume shows them.',
    on: 'bobbin',
    shown: /(?<=› remove x\s+)• Ran rm -f x\.txt\s+└ \(no output\)/g,
  },
  {
    version: '0.169.0',
    reason:
      'Bobbin tells its own version, and the TUI warns of a service older than itself. ' +
      'After a compaction it warns of long threads, as 0.133.0 does.',
    on: 'bobbin',
    shown: /⚠ \d warnings? · f2 to view/g,
  },
  {
    version: '0.169.0',
    reason: 'Approvals of 0.133.0, which Bobbin answers like, name no environment.',
    on: 'codex',
    shown: /Environment: local/g,
  },
  {
    version: '0.169.0',
    reason:
      'The newer server shows a past review as a stopped turn, too; that of 0.133.0 does not.',
    on: 'codex',
    shown:
      /› look at a\.txt\s+■ Conversation interrupted - use \/feedback if something went wrong/g,
  },
]

/** A screen without what is known to be on this side alone. */
export function withoutDifferences(
  screen: string,
  version: Difference['version'],
  side: Difference['on'],
): string {
  const known = differences.filter((each) => each.version === version && each.on === side)
  return known.reduce((text, { shown }) => text.replace(shown, ''), screen)
}
