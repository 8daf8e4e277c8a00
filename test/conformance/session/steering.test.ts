import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/steering.ts'

describeSubject(subject)
