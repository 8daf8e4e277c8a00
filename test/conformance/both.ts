/** The same script and prompts into real Codex 0.133.0 and into Bobbin, each in its own home. */
import type { Json, JsonObject } from '../../src/base/index.ts'
import {
  type ModelRequest,
  type Script,
  ScriptedResponsesServer,
} from '../support/responses-server.ts'
import { bobbinExec } from './bobbin-exec.ts'
import type { ExecProgram, ExecRun } from './exec-run.ts'
import { Normaliser } from './normalise.ts'
import { codex133Exec } from './programs.ts'
import { MODEL, Scratch } from './scratch.ts'

export interface Session {
  readonly script: Script
  /** One run each; all but the first resume the thread of the first. */
  readonly prompts: readonly string[]
  readonly config?: readonly string[]
  readonly model?: string
}

/** What one program did. The scratch home is gone by then. */
export interface Side {
  readonly runs: readonly ExecRun[]
  readonly requests: readonly ModelRequest[]
  /** The lines of the only rollout, as they are on disk. */
  readonly rollout: readonly JsonObject[]
  readonly normalise: (value: Json) => Json
}

export interface BothSides {
  readonly codex: Side
  readonly bobbin: Side
}

export async function runBoth(session: Session): Promise<BothSides> {
  const codex = await runSession(codex133Exec, session)
  const bobbin = await runSession(bobbinExec, session)
  return { codex, bobbin }
}

async function runSession(program: ExecProgram, session: Session): Promise<Side> {
  await using server = await ScriptedResponsesServer.start(session.script)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(server.baseUrl, session.model ?? MODEL)
  const config = session.config ?? []
  const runs: ExecRun[] = []
  for (const prompt of session.prompts) {
    const resume = runs[0] ? { resume: runs[0].threadId } : {}
    const run = await program(scratch, { prompt, config, ...resume })
    if (run.threadId === '') throw new Error(`exec started no thread: ${run.stderr}`)
    runs.push(run)
  }
  const [rollout, ...others] = await scratch.rollouts()
  if (others.length > 0) throw new Error(`${others.length + 1} rollouts where one was expected`)
  const normaliser = new Normaliser(scratch)
  return {
    runs,
    requests: server.modelRequests,
    rollout: rollout?.lines ?? [],
    normalise: (value) => normaliser.value(value),
  }
}
