/** Rule: the real TUI 0.133.0 shows before Bobbin what it shows before its own server. */
import { describe } from 'node:test'
import { codex133 } from '../programs.ts'
import { itShowsTheSame } from './shows-the-same.ts'

describe('the TUI of 0.133.0', { concurrency: 1 }, () => {
  itShowsTheSame({ version: '0.133.0', binary: codex133 })
})
