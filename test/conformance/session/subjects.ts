import type { Subject } from './script.ts'
import { subject as approvals } from './scripts/approvals.ts'
import { subject as clients } from './scripts/clients.ts'
import { subject as compactions } from './scripts/compactions.ts'
import { subject as errors } from './scripts/errors.ts'
import { subject as interrupts } from './scripts/interrupts.ts'
import { subject as mcp } from './scripts/mcp.ts'
import { subject as pasts } from './scripts/pasts.ts'
import { subject as reviews } from './scripts/reviews.ts'
import { subject as settings } from './scripts/settings.ts'
import { subject as steering } from './scripts/steering.ts'
import { subject as streams } from './scripts/streams.ts'
import { subject as tools } from './scripts/tools.ts'
import { subject as turns } from './scripts/turns.ts'

/** Every script there is, in the order of the document. */
export const SUBJECTS: readonly Subject[] = [
  turns,
  tools,
  steering,
  interrupts,
  errors,
  streams,
  compactions,
  pasts,
  settings,
  approvals,
  clients,
  mcp,
  reviews,
]
