import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/mcp.ts'

describeSubject(subject)
