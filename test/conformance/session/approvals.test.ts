import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/approvals.ts'

describeSubject(subject)
