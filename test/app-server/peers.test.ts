import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { isObject, type JsonObject, systemClock } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { KIT_CONFIG, KitClient } from '../support/app-server-kit.ts'
import { PeerProcess } from '../support/peer-process.ts'
import { PeerSide } from '../support/peer-side.ts'
import { hangsAfter, PlayedModel, type Step } from '../support/played-model.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { TestClock } from '../support/test-clock.ts'

const ASK = 'item/commandExecution/requestApproval'
const input = (text: string) => [{ type: 'text', text, text_elements: [] }]
const says = (text: string): Step => ({ items: [assistantMessage(text)] })
const turnIdOf = (result: JsonObject) => String((result.turn as JsonObject).id)
const threadOf = (result: JsonObject) => result.thread as JsonObject
const isNotLoaded = ({ status }: JsonObject) => isObject(status) && status.type === 'notLoaded'

/** A home that several Bobbins share. */
class Place implements AsyncDisposable {
  readonly #folder: TempFolder
  readonly #stack = new AsyncDisposableStack()

  private constructor(folder: TempFolder) {
    this.#folder = this.#stack.use(folder)
  }

  static async open(): Promise<Place> {
    const place = new Place(await TempFolder.create())
    await mkdir(place.home)
    await writeFile(join(place.home, 'config.toml'), KIT_CONFIG)
    return place
  }

  get home(): string {
    return this.#folder.at('home')
  }

  get project(): string {
    return this.#folder.at('project')
  }

  get sockets(): string[] {
    const folder = join(this.home, 'app-server-control', 'peers')
    return readdirSync(folder).map((name) => join(folder, name))
  }

  /** A process; it is killed at the end. */
  async process(name: string): Promise<PeerProcess> {
    await mkdir(join(this.project, name), { recursive: true })
    return this.#stack.use(await PeerProcess.start(this, name))
  }

  /** One in this process. */
  async side(
    name: string,
    steps: readonly Step[] = [],
    { clock = systemClock, isOffered = true } = {},
  ): Promise<PeerSide> {
    await mkdir(join(this.project, name), { recursive: true })
    const options = { ...this.#at(), name, model: new PlayedModel(steps), clock }
    return this.#stack.use(isOffered ? await PeerSide.open(options) : new PeerSide(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]()
  }

  #at() {
    return { home: this.home, project: this.project }
  }
}

async function startThread(client: KitClient, params: JsonObject = {}): Promise<string> {
  const result = await client.request('thread/start', params)
  const threadId = String(threadOf(result).id)
  await client.runTurn(threadId, 'first')
  return threadId
}

/** What was told of a thread since its turn began. */
function toldOf(client: KitClient, threadId: string, turnId: string) {
  const all = client.notifications.filter(({ params }) => params.threadId === threadId)
  const from = all.findIndex(({ method, params }) => {
    return method === 'turn/started' && (params.turn as JsonObject).id === turnId
  })
  return all.slice(from)
}

function said(result: JsonObject): string[] {
  const turns = threadOf(result).turns as JsonObject[]
  return turns.flatMap(({ items }) =>
    (items as JsonObject[]).map(({ text, content }) => {
      return String(text ?? (content as JsonObject[] | undefined)?.[0]?.text)
    }),
  )
}

/** Two processes with a thread of the first that both have open. */
async function shared(place: Place, params: JsonObject = {}) {
  const owner = await place.process('owner')
  const second = await place.process('second')
  const one = await owner.client()
  const threadId = await startThread(one, params)
  const two = await second.client()
  const joined = await two.request('thread/resume', { threadId })
  return { owner, second, one, two, threadId, joined }
}

const completed = (client: KitClient, turnId: string) =>
  client.waitFor('turn/completed', ({ turn }) => (turn as JsonObject).id === turnId)

describe('a thread that another process has open', () => {
  it('is joined, and both see and do the same in the same order', async () => {
    await using place = await Place.open()
    const { one, two, threadId, joined } = await shared(place)
    assert.deepEqual(said(joined), ['first', 'heard first'])
    const start = (client: KitClient, text: string) =>
      client.request('turn/start', { threadId, input: input(text) })
    for (const [client, text] of [
      [one, 'from the first'],
      [two, 'from the second'],
    ] as const) {
      const from = two.messages.length
      const turnId = turnIdOf(await start(client, text))
      await Promise.all([completed(one, turnId), completed(two, turnId)])
      assert.deepEqual(toldOf(two, threadId, turnId), toldOf(one, threadId, turnId))
      const isAnswerFirst = two.messages[from]?.method === undefined
      assert.equal(isAnswerFirst, client === two)
    }
    assert.equal(two.told().includes('account/rateLimits/updated'), true)
    const { thread } = await one.request('thread/resume', { threadId })
    assert.deepEqual(said({ thread: thread as JsonObject }).slice(2), [
      'from the first',
      'heard from the first',
      'from the second',
      'heard from the second',
    ])
  })

  it('takes approvals from both; the first answer counts', async () => {
    await using place = await Place.open()
    const { one, two, threadId } = await shared(place, { approvalPolicy: 'untrusted' })
    for (const [first, last] of [
      [two, one],
      [one, two],
    ] as const) {
      const { turn } = await two.request('turn/start', { threadId, input: input('ask') })
      const turnId = String((turn as JsonObject).id)
      const isOurs = (params: JsonObject) => params.turnId === turnId
      const [asked, alsoAsked] = await Promise.all([
        first.waitForRequest(ASK, isOurs),
        last.waitForRequest(ASK, isOurs),
      ])
      assert.deepEqual(asked.params, alsoAsked.params)
      first.answer(asked.id ?? null, { decision: 'accept' })
      const resolved = ({ requestId }: JsonObject) => requestId === alsoAsked.id
      await last.waitFor('serverRequest/resolved', resolved)
      last.answer(alsoAsked.id ?? null, { decision: 'cancel' })
      const { params } = await completed(last, turnId)
      assert.equal((params.turn as JsonObject).status, 'completed')
      const mine = ({ requestId }: JsonObject) => requestId === asked.id
      await first.waitFor('serverRequest/resolved', mine)
    }
  })

  it('asks one that comes while something is open, also one that had left before', async () => {
    await using place = await Place.open()
    const { second, two, threadId } = await shared(place, { approvalPolicy: 'untrusted' })
    const { turn } = await two.request('turn/start', { threadId, input: input('ask') })
    const turnId = String((turn as JsonObject).id)
    const { id } = await two.waitForRequest(ASK)
    const three = await second.client()
    await three.request('thread/resume', { threadId })
    assert.equal((await three.waitForRequest(ASK)).id, id)
    for (const client of [two, three]) {
      const left = await client.request('thread/unsubscribe', { threadId })
      assert.deepEqual(left, { status: 'unsubscribed' })
    }
    await three.request('thread/resume', { threadId })
    await three.waitForRequest(ASK, () => three.requests.length === 2)
    three.answer(three.requests.at(-1)?.id ?? null, { decision: 'accept' })
    const { params } = await completed(three, turnId)
    assert.equal((params.turn as JsonObject).status, 'completed')
    assert.equal(two.told().includes('turn/completed'), false)
  })

  it('is steered and interrupted from the second', async () => {
    await using place = await Place.open()
    const { one, two, threadId } = await shared(place)
    const { turn } = await one.request('turn/start', { threadId, input: input('hang') })
    const turnId = String((turn as JsonObject).id)
    await two.waitFor('item/completed', ({ item }) => (item as JsonObject).text === 'partial')
    const steer = { threadId, input: input('left'), expectedTurnId: turnId }
    assert.deepEqual(await two.request('turn/steer', steer), { turnId })
    assert.deepEqual(await two.refused('turn/steer', { ...steer, expectedTurnId: 'x' }), {
      code: -32600,
      message: `expected active turn id \`x\` but found \`${turnId}\``,
    })
    await two.request('turn/interrupt', { threadId, turnId })
    for (const client of [one, two]) {
      const { params } = await completed(client, turnId)
      assert.equal((params.turn as JsonObject).status, 'interrupted')
    }
  })

  it('is served without being joined, and left when its last client leaves', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a'), says('b'), says('c'), says('d')])
    const second = await place.side('second')
    const one = await owner.connect()
    const threadId = await startThread(one)
    const [two, three] = [await second.connect(), await second.connect()]
    const unwatched = { threadId, input: input('unwatched') }
    await completed(one, turnIdOf(await two.request('turn/start', unwatched)))
    assert.deepEqual(two.told(), ['remoteControl/status/changed'])
    await two.request('thread/resume', { threadId })
    await three.request('thread/resume', { threadId })
    two.close()
    await three.runTurn(threadId, 'watched')
    assert.deepEqual(await three.request('thread/unsubscribe', { threadId }), {
      status: 'unsubscribed',
    })
    const from = three.messages.length
    await one.runTurn(threadId, 'alone')
    await one.request('thread/unsubscribe', { threadId })
    assert.equal(three.messages.length, from)
    assert.deepEqual(owner.firstClients, ['bobbin_conformance'])
  })
})

describe('a client of a thread that another process has open', () => {
  it('that comes back is told what it has missed, and nobody else is told that again', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a'), says('b'), says('c')])
    const second = await place.side('second')
    const threadId = await startThread(await owner.connect())
    const lost = await second.connect({ eventCursors: true })
    await lost.request('thread/resume', { threadId })
    await lost.runTurn(threadId, 'two')
    const begun = await lost.waitFor('turn/started')
    const others = [await second.connect(), await second.connect({ eventCursors: true })]
    lost.close()
    // The link has left and joined anew: it knows no cursor of the thread yet.
    for (const other of others) await other.request('thread/resume', { threadId })
    const back = await second.connect({ eventCursors: true })
    const afterEventCursor = String(begun.params.eventCursor)
    await back.request('thread/resume', { threadId, afterEventCursor })
    await back.waitFor('thread/goal/cleared')
    const from = lost.notifications.indexOf(begun) + 1
    const missed = lost.notifications.slice(from).filter(({ params }) => params.eventCursor)
    assert.deepEqual(
      back.notifications.filter(({ params }) => params.eventCursor),
      missed,
    )
    for (const other of others) {
      assert.equal(other.told().includes('turn/completed'), false)
    }
    await back.runTurn(threadId, 'three')
    for (const other of others) {
      await other.waitFor('turn/completed')
      const hasCursors = other.notifications.some(({ params }) => 'eventCursor' in params)
      assert.equal(hasCursors, other === others[1])
    }
    await back.request('thread/resume', { threadId, afterEventCursor })
    // Its answer comes over the link behind all that.
    await back.request('thread/inject_items', { threadId, items: [assistantMessage('x')] })
    for (const other of others) {
      assert.equal(other.told().filter((name) => name === 'turn/completed').length, 1)
    }
    const gone = { threadId, afterEventCursor: 'nope' }
    const { message } = await back.refused('thread/resume', gone)
    assert.equal(message, 'events after cursor nope are gone; resume without a cursor')
  })

  it('may pipe its requests, name the log, and have paths of its own', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a'), says('b')])
    const second = await place.side('second')
    const one = await owner.connect()
    const threadId = await startThread(one)
    const { thread } = await one.request('thread/resume', { threadId })
    const path = relative(join(place.project, 'second'), String((thread as JsonObject).path))
    const two = await second.connect()
    const settings = { threadId, cwd: 'sub' }
    const answers = await Promise.all([
      two.request('thread/resume', { threadId: '', path }),
      two.request('thread/resume', { threadId }),
      two.request('thread/settings/update', settings),
      two.request('thread/inject_items', { threadId, items: [assistantMessage('put in')] }),
      two.request('turn/start', { threadId, input: input('two') }),
      two.request('thread/unsubscribe', { threadId }),
    ])
    assert.deepEqual(
      answers.map((answer) => Object.keys(answer)[0]),
      ['thread', 'thread', undefined, undefined, 'turn', 'status'],
    )
    const told = await one.waitFor('thread/settings/updated')
    const { cwd } = told.params.threadSettings as JsonObject
    assert.equal(cwd, join(place.project, 'second', 'sub'))
    await completed(one, turnIdOf(answers[4] ?? {}))
    assert.equal(second.manager.list().length, 0)
  })

  it('names and archives it where it is open, and all here are told', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a')])
    const second = await place.side('second')
    const one = await owner.connect()
    const threadId = await startThread(one)
    const [two, bystander] = [await second.connect(), await second.connect()]
    assert.deepEqual(await two.request('thread/name/set', { threadId, name: 'mine' }), {})
    const clients = [one, two, bystander]
    for (const client of clients) {
      const { params } = await client.waitFor('thread/name/updated')
      assert.deepEqual(params, { threadId, threadName: 'mine' })
    }
    const gitInfo = { branch: 'topic' }
    const { thread } = await two.request('thread/metadata/update', { threadId, gitInfo })
    assert.deepEqual((thread as JsonObject).status, { type: 'idle' })
    assert.deepEqual(await two.request('thread/archive', { threadId }), {})
    for (const client of clients) await client.waitFor('thread/archived')
    assert.deepEqual(owner.manager.list(), [])
  })

  it('watches the reviewer that it has asked for, from its beginning', async () => {
    await using place = await Place.open()
    const review = says('{"findings":[],"overall_correctness":"ok"}')
    const owner = await place.side('owner', [says('a'), review])
    const second = await place.side('second')
    const threadId = await startThread(await owner.connect())
    const two = await second.connect()
    await two.request('thread/resume', { threadId })
    const target = { type: 'custom', instructions: 'Look.' }
    const params = { threadId, target, delivery: 'detached' }
    const result = await two.request('review/start', params)
    await completed(two, turnIdOf(result))
    const isReview = ({ threadId: id }: JsonObject) => id === result.reviewThreadId
    const names = two.notifications.filter((told) => isReview(told.params))
    assert.deepEqual(
      names.map(({ method }) => method).filter((name) => name.startsWith('turn/')),
      ['turn/started', 'turn/completed'],
    )
  })
})

describe('an owner that ends', () => {
  it('killed in a turn: the second process goes on with all that was acknowledged', async () => {
    await using place = await Place.open()
    const { owner, two, threadId } = await shared(place, {})
    await two.runTurn(threadId, 'second')
    const { turn } = await two.request('turn/start', { threadId, input: input('hang') })
    await two.waitFor('item/completed', ({ item }) => (item as JsonObject).text === 'partial')
    await owner.kill()
    await two.waitFor('thread/status/changed', isNotLoaded)
    const result = await two.request('thread/resume', { threadId })
    const texts = ['first', 'heard first', 'second', 'heard second', 'hang', 'partial']
    assert.deepEqual(said(result), texts)
    const last = (threadOf(result).turns as JsonObject[]).at(-1)
    assert.deepEqual([last?.id, last?.status], [(turn as JsonObject).id, 'interrupted'])
    assert.equal((await two.runTurn(threadId, 'third')).status, 'completed')
  })

  it('withdraws what it has asked', async () => {
    await using place = await Place.open()
    const { owner, two, threadId } = await shared(place, { approvalPolicy: 'untrusted' })
    await two.request('turn/start', { threadId, input: input('ask') })
    const { id } = await two.waitForRequest(ASK)
    await owner.kill()
    await two.waitFor('thread/status/changed', isNotLoaded)
    assert.deepEqual(two.notifications.slice(-2), [
      { method: 'serverRequest/resolved', params: { threadId, requestId: id } },
      { method: 'thread/status/changed', params: { threadId, status: { type: 'notLoaded' } } },
    ])
  })

  it('orderly: the lease is free when the clients hear of it', async () => {
    await using place = await Place.open()
    const { owner, two, threadId } = await shared(place)
    const ended = owner.end()
    await two.waitFor('thread/status/changed', isNotLoaded)
    const result = await two.request('thread/resume', { threadId })
    assert.deepEqual(said(result), ['first', 'heard first'])
    await ended
    assert.equal((await two.runTurn(threadId, 'more')).status, 'completed')
  })

  it('lets a thread go: the next resume loads it here, others find it not loaded', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a')])
    const second = await place.side('second', [says('b')])
    const threadId = await startThread(await owner.connect())
    const two = await second.connect()
    await two.request('thread/resume', { threadId })
    await owner.manager.remove(threadId as never)
    await two.waitFor('thread/status/changed', isNotLoaded)
    const refused = await two.refused('turn/start', { threadId, input: input('x') })
    assert.deepEqual(refused, { code: -32600, message: `thread not found: ${threadId}` })
    await two.request('thread/resume', { threadId })
    assert.equal((await two.runTurn(threadId, 'more')).status, 'completed')
  })

  it('leaves a socket that the next one removes', async () => {
    await using place = await Place.open()
    const owner = await place.process('owner')
    await startThread(await owner.client())
    const [stale = ''] = place.sockets
    const { mode } = statSync(stale)
    assert.deepEqual([mode & 0o777, statSync(dirname(stale)).mode & 0o777], [0o600, 0o700])
    await owner.kill()
    assert.equal(existsSync(stale), true)
    const next = await place.process('next')
    await startThread(await next.client())
    assert.equal(existsSync(stale), false)
    assert.equal(place.sockets.length, 1)
    await next.end()
    assert.deepEqual(place.sockets, [])
  })
})

describe('a peer that cannot be reached', () => {
  const holder = (pid: number, name: string, threadId: string) =>
    new RegExp(`^thread ${threadId} is open for writing in process ${pid} \\(${name}\\) since `)

  it('because it offers nothing: the refusal names it', async () => {
    await using place = await Place.open()
    const owner = await place.side('exec', [says('a')], { isOffered: false })
    const second = await place.side('second')
    const threadId = await startThread(await owner.connect())
    const two = await second.connect()
    const { message } = await two.refused('thread/resume', { threadId })
    assert.match(String(message), holder(process.pid, 'exec', threadId))
  })

  it('because it hangs: others are served, and the refusal names it in the end', async () => {
    await using place = await Place.open()
    const owner = await place.process('owner')
    const threadId = await startThread(await owner.client())
    const clock = new TestClock()
    const second = await place.side('second', [says('here')], { clock })
    const two = await second.connect()
    owner.signal('SIGSTOP')
    const connecting = clock.slept((ms) => ms === 2000)
    const refused = two.refused('thread/resume', { threadId })
    await connecting
    await startThread(two)
    clock.wake()
    assert.match(String((await refused).message), holder(owner.pid, 'owner', threadId))
    // It is not waited for a second time.
    await two.refused('thread/resume', { threadId })
    assert.equal(clock.sleeps.filter((ms) => ms === 2000).length, 1)
    owner.signal('SIGCONT')
  })

  it('because it hangs later: its clients are told', async () => {
    await using place = await Place.open()
    const owner = await place.process('owner')
    const threadId = await startThread(await owner.client())
    const clock = new TestClock()
    const second = await place.side('second', [], { clock })
    const two = await second.connect()
    const sleeps = () => clock.slept((ms) => ms === 5000)
    await Promise.all([sleeps(), two.request('thread/resume', { threadId })])
    owner.signal('SIGSTOP')
    const answer = two.refused('turn/start', { threadId, input: input('x') })
    const over = answer.then(() => true)
    // What the peer had sent before it was stopped may come first.
    for (let isOver = false; !isOver; ) {
      const looked = sleeps().then(() => false)
      clock.wake()
      isOver = await Promise.race([over, looked])
      await setImmediate()
    }
    assert.deepEqual(await answer, {
      code: -32603,
      message: `process ${owner.pid}, which has thread ${threadId} open, has not answered`,
    })
    await two.waitFor('thread/status/changed', isNotLoaded)
    owner.signal('SIGCONT')
  })

  it('is not asked in a circle: a peer serves what it has, and passes nothing on', async () => {
    await using place = await Place.open()
    const owner = await place.side('owner', [says('a')])
    const between = await place.side('between')
    const threadId = await startThread(await owner.connect())
    using peer = new KitClient(between.server)
    await peer.initialize({}, 'bobbin_peer')
    assert.deepEqual(await peer.refused('thread/resume', { threadId }), {
      code: -32600,
      message: `thread ${threadId} is not loaded in process ${process.pid}`,
      data: { bobbin: 'threadNotLoadedInPeer' },
    })
    assert.equal((await peer.refused('thread/start', {})).code, -32600)
  })
})

describe('many threads of one peer', () => {
  it('go over one link, and none waits for another', async () => {
    await using place = await Place.open()
    const count = 20
    const steps = Array.from({ length: count }, () => says('a'))
    const hanging = Array.from({ length: count }, () => hangsAfter())
    const owner = await place.side('owner', [...steps, ...hanging])
    const second = await place.side('second')
    const one = await owner.connect()
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) ids.push(await startThread(one))
    const two = await second.connect()
    await Promise.all(ids.map((threadId) => two.request('thread/resume', { threadId })))
    const socket = readFileSync('/proc/net/unix', 'utf8').split('\n')
    const links = socket.filter((line) => place.sockets.some((path) => line.endsWith(path)))
    // Those that listen are in state 01, those that are connected in 03.
    assert.equal(links.filter((line) => line.split(/\s+/)[5] === '03').length, 1)
    const turns = await Promise.all(
      ids.map((threadId) => two.request('turn/start', { threadId, input: input('go') })),
    )
    await Promise.all(
      ids.map((threadId, n) => {
        return two.request('turn/interrupt', { threadId, turnId: turnIdOf(turns[n] ?? {}) })
      }),
    )
    await Promise.all(turns.map((turn) => completed(two, turnIdOf(turn))))
    for (const [n, threadId] of ids.entries()) {
      const turnId = turnIdOf(turns[n] ?? {})
      await completed(one, turnId)
      assert.deepEqual(toldOf(two, threadId, turnId), toldOf(one, threadId, turnId))
    }
  })
})
