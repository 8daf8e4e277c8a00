import { it } from 'node:test'
import { BothWorlds, type Version } from './both-worlds.ts'
import { answering, scenarios } from './scenarios.ts'

/** Plays all scenarios with one version of the TUI. */
export function itShowsTheSame(version: Version): void {
  for (const { name, script, needsToken, play } of scenarios) {
    it(name, async () => {
      await using worlds = await BothWorlds.start(version, answering(script), needsToken)
      await play(worlds)
    })
  }
}
