/** Plays a script into one program and collects what can be compared of it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../../../src/base/index.ts'
import { bobbin } from '../bobbin-exec.ts'
import { codex133 } from '../programs.ts'
import { Scratch } from '../scratch.ts'
import { ModelServer } from './model-server.ts'
import type { SessionScript } from './script.ts'
import { ServedDriver } from './served-driver.ts'
import { Stage } from './stage.ts'
import { WireLog } from './wire-log.ts'

/** What one program did, as it is, before anything is normalised. */
export interface Trace {
  readonly root: string
  readonly threadIds: readonly string[]
  /** `{headers, body}` of each model request. */
  readonly requests: readonly JsonObject[]
  /** Lines of all rollouts, oldest thread first. */
  readonly rollout: readonly JsonObject[]
  /** `{method, params}` of everything that clients were told or asked. */
  readonly events: readonly JsonObject[]
  readonly refusals: readonly string[]
  /** `{method, result}` of every request that was not refused, in the order of the requests. */
  readonly answers: readonly JsonObject[]
}

export type Program = 'codex' | 'bobbin'

/** Throws what the script throws: something did not come within `limitMs`, or is not built. */
export async function trace(
  program: Program,
  script: SessionScript,
  limitMs?: number,
): Promise<Trace> {
  await using model = await ModelServer.start(script.model)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(model.baseUrl)
  await addConfig(scratch, script)
  const log = new WireLog(limitMs)
  const driver = await ServedDriver.open(PROGRAMS[program], scratch, log)
  const stage = new Stage(driver, model, scratch, log)
  try {
    const { answer } = script
    if (answer) driver.answerWith((request) => answer(request, stage))
    await script.play(stage)
    await driver.settle()
  } finally {
    await driver[Symbol.asyncDispose]()
  }
  const rollouts = await scratch.rollouts()
  return {
    root: scratch.root,
    threadIds: stage.threadIds,
    requests: model.requests.map(({ headers, body }) => ({ headers: { ...headers }, body })),
    rollout: rollouts.flatMap(({ lines }) => lines),
    events: stage.messages().map(({ method, params }) => ({ method, params })),
    refusals: stage.refusals,
    answers: log.answers.flatMap(({ method, result }) => (result ? [{ method, result }] : [])),
  }
}

const PROGRAMS = { codex: { command: codex133, args: [] }, bobbin } as const

async function addConfig(scratch: Scratch, { config = {}, provider = {} }: SessionScript) {
  const path = join(scratch.home, 'config.toml')
  const text = await readFile(path, 'utf8')
  const lines = (keys: object) =>
    Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
  const wire = 'wire_api = "responses"\n'
  const added = text.replace(wire, wire + lines(provider).join(''))
  await writeFile(path, lines(config).join('') + added)
}
