import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/interrupts.ts'

describeSubject(subject)
