import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/tools.ts'

describeSubject(subject)
