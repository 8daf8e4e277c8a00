import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/turns.ts'

describeSubject(subject)
