import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/compactions.ts'

describeSubject(subject)
