import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/settings.ts'

describeSubject(subject)
