import type { Plugin } from 'rolldown'

/** What is loaded together, and where the loading begins. */
export interface Stage {
  readonly name: string
  readonly entries: readonly string[]
}

/**
 * Puts the modules of a stage into one file: reading many small ones takes longer. A module is of
 * the first stage that needs it; others are left to the bundler.
 */
export class Stages {
  readonly #stages: readonly Stage[]
  readonly #names = new Map<string, string>()

  constructor(stages: readonly Stage[]) {
    this.#stages = stages
  }

  /** The stage that a module is of. */
  readonly nameOf = (id: string): string | null => this.#names.get(id) ?? null

  plugin(): Plugin {
    const [stages, names] = [this.#stages, this.#names]
    return {
      name: 'stages',
      buildEnd(error) {
        if (error) return
        for (const { name, entries } of stages) {
          const open = [...entries]
          for (let id = open.pop(); id !== undefined; id = open.pop()) {
            if (names.has(id)) continue
            const info = this.getModuleInfo(id)
            if (!info) throw new Error(`${id} is not part of the bundle`)
            names.set(id, name)
            open.push(...info.importedIds)
          }
        }
      },
    }
  }
}
