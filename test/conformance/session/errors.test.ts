import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/errors.ts'

describeSubject(subject)
