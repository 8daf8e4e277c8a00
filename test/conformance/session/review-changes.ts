/** A review under one id, whichever of its ids a program tells, and its lines in one order. */
import {
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
} from '../../../src/base/index.ts'
import { atTheEnd, type Change } from './facet-changes.ts'

const ANY_TURN = /^(<turn-2>|[0-9a-f]{8}-[0-9a-f-]{27})$/
const REVIEW = '<review>'

/** The requests of the reviewer are of one turn. */
export const reviewRequests: Change = (values) =>
  values.map((value) => {
    const turn = isObject(value) ? objectAt(value, 'turn') : undefined
    if (!isObject(value) || turn?.thread_source !== 'subagent') return value
    return { ...value, turn: { ...turn, turn_id: REVIEW } }
  })

/** One id, `entered_review_mode` behind everything else, and what is kept twice once. */
export const reviewLines: Change = (values) => {
  const renamed = values.map((value) => {
    const payload = isObject(value) ? objectAt(value, 'payload') : undefined
    if (!isObject(value) || !ANY_TURN.test(String(payload?.turn_id))) return value
    return { ...value, payload: { ...payload, turn_id: REVIEW } }
  })
  const isEntering = (value: Json) => typeOf(value) === 'entered_review_mode'
  const rest = renamed.filter((value) => !isEntering(value))
  const once = rest.filter((value, index) => {
    const isMessage = typeOf(value) === 'user_message'
    return !isMessage || JSON.stringify(value) !== JSON.stringify(rest[index - 1])
  })
  return [...once, ...renamed.filter(isEntering)]
}

function typeOf(value: Json): string | undefined {
  return isObject(value) ? stringAt(objectAt(value, 'payload') ?? {}, 'type') : undefined
}

/** One id, `enteredReviewMode` behind everything else, and no message that never ends. */
export const reviewEvents: Change = (values) => {
  const renamed = values.map((value) => {
    const params = isObject(value) ? objectAt(value, 'params') : undefined
    return isObject(value) && params ? { ...value, params: withOneId(params) } : value
  })
  const told = renamed.filter((value) => !isUnending(value))
  return atTheEnd(({ item }) => isObject(item) && item.type === 'enteredReviewMode')(told)
}

function withOneId(params: JsonObject): JsonObject {
  const { turnId, turn, item } = params
  return {
    ...params,
    ...(ANY_TURN.test(String(turnId)) ? { turnId: REVIEW } : {}),
    ...(isObject(turn) && ANY_TURN.test(String(turn.id)) ? { turn: { ...turn, id: REVIEW } } : {}),
    ...(isObject(item) && /ReviewMode$/.test(String(item.type))
      ? { item: { ...item, id: REVIEW } }
      : {}),
  }
}

/** The reviewer's own message is started, and nothing more. */
function isUnending(value: Json): boolean {
  const params = isObject(value) ? objectAt(value, 'params') : undefined
  const item = params && objectAt(params, 'item')
  const isStart = isObject(value) && value.method === 'item/started'
  const isReviewers = params?.turnId === REVIEW && item?.id !== 'review_rollout_assistant'
  return isStart && isReviewers && item?.type === 'agentMessage'
}
