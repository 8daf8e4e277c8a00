import { describeSubject } from './both-sessions.ts'
import { subject } from './scripts/reviews.ts'

describeSubject(subject)
