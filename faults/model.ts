/** A scripted model whose turns have something of all that a log keeps. */
import assert from 'node:assert/strict'
import { isObject, type Json } from '../src/base/index.ts'
import {
  assistantMessage,
  customToolCall,
  functionCall,
  reasoning,
  type ScriptedResponse,
} from '../src/core/index.ts'
import { type ModelRequest, ScriptedResponsesServer } from '../test/support/responses-server.ts'

const PATCH = '*** Begin Patch\n*** Add File: NAME\n+b\n*** End Patch'

/** Three requests: thoughts and a command, a patch, the last words in pieces. */
function turnSteps(tag: string): ScriptedResponse[] {
  return [
    {
      delayMs: 1,
      items: [
        reasoning(`thoughts ${tag}`),
        assistantMessage(`first ${tag}`, { phase: 'commentary' }),
        functionCall('exec_command', { cmd: `echo ${tag}`, login: false }, `run_${tag}`),
      ],
    },
    {
      items: [
        customToolCall('apply_patch', PATCH.replace('NAME', `${tag}.txt`), `patch_${tag}`),
        functionCall('update_plan', { plan: [] }, `plan_${tag}`),
      ],
    },
    { delayMs: 1, deltas: 6, items: [assistantMessage(`the last words of ${tag}, for good`)] },
  ]
}

/** The person's last words as one word, and which response of their turn is asked for. */
function placeOf(input: readonly Json[]): { readonly tag: string; readonly step: number } {
  const asked = input.findLastIndex((item) => isObject(item) && item.role === 'user')
  const calls = input.slice(asked + 1).filter((item) => {
    return isObject(item) && String(item.type).endsWith('_call')
  })
  const tag = /"text":"([^"]*)"/.exec(JSON.stringify(input[asked]))?.[1] ?? ''
  return { tag: tag.replaceAll(/\W+/g, '_'), step: Math.min(calls.length, 2) }
}

/** Plays the whole turn to whoever asks; disposed by the caller. */
export function wholeTurns(): Promise<ScriptedResponsesServer> {
  return ScriptedResponsesServer.start((request) => {
    const { tag, step } = placeOf(inputOf(request))
    return turnSteps(tag)[step] ?? assert.fail(`step ${step}`)
  })
}

/** Says one short thing a turn; disposed by the caller. */
export function shortTurns(): Promise<ScriptedResponsesServer> {
  return ScriptedResponsesServer.start((_, index) => ({
    items: [assistantMessage(`answer ${index}`)],
  }))
}

function inputOf({ body }: ModelRequest): readonly Json[] {
  return Array.isArray(body.input) ? body.input : []
}
