import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/clients.ts'

describeSubject(subject)
