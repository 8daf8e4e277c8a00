import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/pasts.ts'

describeSubject(subject)
