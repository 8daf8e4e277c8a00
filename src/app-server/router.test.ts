import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject, type Json } from '../base/index.ts'
import { Connection } from './connection.ts'
import { plainMethod } from './protocol/method.ts'
import { type Route, Router, route } from './router.ts'

function client(): { readonly connection: Connection; readonly answers: Json[] } {
  const answers: Json[] = []
  const connection = new Connection({
    send: (text) => {
      const { id, error } = JSON.parse(text)
      answers.push(isObject(error) ? [id, error.message ?? null] : id)
    },
  })
  connection.initialize({
    name: 'test',
    version: '1',
    hasExperimentalApi: false,
    hasEventCursors: false,
    optOuts: new Set(),
  })
  return { connection, answers }
}

function served(name: string, seen: string[]): Route {
  return route(plainMethod(name, { queueKey: () => 'one' }), () => {
    seen.push(name)
    return Promise.resolve({})
  })
}

describe('methods that are loaded by their first request', () => {
  it('are served in the order of the requests, and so is what comes meanwhile', async () => {
    const seen: string[] = []
    const loading = Promise.withResolvers<Route[]>()
    const router = new Router({
      first: [served('first', seen)],
      loadOthers: () => loading.promise,
      tryForward: () => undefined,
    })
    const { connection, answers } = client()
    const ask = (id: number, method: string) =>
      router.take(connection, { kind: 'request', id, method, params: undefined })
    for (const [id, name] of ['first', 'late', 'first', 'later', 'first'].entries()) ask(id, name)
    assert.deepEqual(seen, ['first'])
    loading.resolve([served('late', seen), served('later', seen)])
    await router.settled()
    assert.deepEqual(seen, ['first', 'late', 'first', 'later', 'first'])
    assert.deepEqual(answers, [0, 1, 2, 3, 4])
  })

  it('are loaded again when that failed, and whoever asked is told why', async () => {
    const seen: string[] = []
    let tries = 0
    const router = new Router({
      first: [served('first', seen)],
      loadOthers: () => {
        tries += 1
        const isFirst = tries === 1
        return isFirst ? Promise.reject(new Error('no such file')) : Promise.resolve([])
      },
      tryForward: () => undefined,
    })
    const { connection, answers } = client()
    const ask = (id: number, method: string) =>
      router.take(connection, { kind: 'request', id, method, params: undefined })
    ask(1, 'late')
    await router.settled()
    ask(2, 'first')
    await router.settled()
    assert.deepEqual(answers, [[1, 'no such file'], 2])
    ask(3, 'other')
    await router.settled()
    assert.match(String(answers.at(-1)), /^3,.*unknown variant `other`/)
  })
})
