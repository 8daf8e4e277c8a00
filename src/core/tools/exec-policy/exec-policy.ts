import { errorText } from '../../../base/index.ts'
import type { RuleSet } from './exec-rule.ts'
import { parseRules } from './parse-rules.ts'
import { RulesError } from './rules-tokens.ts'

/** A file of rules, or why it cannot be read. */
export type RuleFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly problem: string }

/** Where rules are kept. Injected: what a home or a trusted project is, is not known here. */
export interface ExecPolicyStore {
  /** The files that hold in a folder, those that are read first in front. */
  load(cwd: string): Promise<readonly RuleFile[]>
  /**
   * Allows commands that begin with these words for good; true when that is new. Safe against
   * other processes.
   */
  append(prefix: readonly string[]): Promise<boolean>
}

/** For those who have no rules. */
export const noExecPolicy: ExecPolicyStore = {
  load: async () => [],
  append: async () => {
    throw new Error('there is no folder to keep rules in')
  },
}

/**
 * The rules of a session's folder, read anew for each command: what another process allows or
 * forbids holds at once. A file that cannot be taken is told, once, and the others still hold.
 */
export class ExecPolicy {
  readonly #store: ExecPolicyStore
  readonly #told = new Set<string>()

  constructor(store: ExecPolicyStore) {
    this.#store = store
  }

  async rules(cwd: string, warn: (message: string) => void): Promise<RuleSet> {
    const sets = (await this.#load(cwd, warn)).flatMap((file) => this.#parse(file, warn) ?? [])
    return {
      rules: sets.flatMap(({ rules }) => rules),
      hostExecutables: sets.flatMap(({ hostExecutables }) => hostExecutables),
    }
  }

  /** Throws what the store throws. */
  append(prefix: readonly string[]): Promise<boolean> {
    return this.#store.append(prefix)
  }

  async #load(cwd: string, warn: (message: string) => void): Promise<readonly RuleFile[]> {
    try {
      return await this.#store.load(cwd)
    } catch (error) {
      this.#tell(`rules for commands cannot be read: ${errorText(error)}`, warn)
      return []
    }
  }

  #parse(file: RuleFile, warn: (message: string) => void): RuleSet | undefined {
    if ('problem' in file) {
      this.#tell(`${file.path} is left out: ${file.problem}`, warn)
      return undefined
    }
    try {
      return parseRules(file.text)
    } catch (error) {
      if (!(error instanceof RulesError)) throw error
      this.#tell(`${file.path}:${error.line}: ${error.message}; the file is left out`, warn)
      return undefined
    }
  }

  #tell(message: string, warn: (message: string) => void): void {
    if (this.#told.has(message)) return
    this.#told.add(message)
    warn(message)
  }
}
