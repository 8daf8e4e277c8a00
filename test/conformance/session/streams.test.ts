import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/streams.ts'

describeSubject(subject)
