import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { jsonLines, Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'

const found = JSON.stringify({
  findings: [
    {
      title: '[P1] Two is one too many',
      body: 'Take it out.',
      confidence_score: 0.8,
      priority: 1,
      code_location: { absolute_file_path: '/p/a.txt', line_range: { start: 2, end: 2 } },
    },
  ],
  overall_correctness: 'patch is incorrect',
  overall_explanation: 'One line should go.',
  overall_confidence_score: 0.8,
})
const RENDERED =
  'One line should go.\n\nReview comment:\n\n- [P1] Two is one too many — /p/a.txt:2-2\n' +
  '  Take it out.'
const answer = { items: [assistantMessage(found)] }

async function openRepository(): Promise<Workplace> {
  const place = await Workplace.create()
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org']
    execFileSync('git', [...who, '-C', place.project, ...args], { stdio: 'ignore' })
  }
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-q', '-m', 'First')
  return place
}

describe('bobbin review', () => {
  it('prints what was found, and keeps it in a thread', async () => {
    await using place = await openRepository()
    await using model = await ScriptedResponsesServer.start([answer])
    await place.useModel(model.baseUrl)
    const outcome = await place.run(['review', '-o', 'out.txt'])
    assert.equal(outcome.stdout, `${RENDERED}\n`, outcome.stderr)
    assert.equal(outcome.exitCode, 0)
    assert.equal(await readFile(join(place.project, 'out.txt'), 'utf8'), RENDERED)
    const [request] = model.modelRequests
    assert.equal(request?.headers['x-openai-subagent'], 'review')
    const shown = await place.run(['threads', 'show', '--last'])
    assert.match(shown.stdout, /Two is one too many/)
  })

  it('looks at what it is told to, and tells it in JSON lines too', async () => {
    await using place = await openRepository()
    await using model = await ScriptedResponsesServer.start([], { otherwise: answer })
    await place.useModel(model.baseUrl)
    for (const words of [['--base', 'main'], ['--commit', 'HEAD', '--title', 'T'], ['look at a']]) {
      const outcome = await place.run(['review', '--json', ...words])
      assert.equal(outcome.exitCode, 0, outcome.stderr)
      const last = jsonLines(outcome.stdout).findLast(({ type }) => type === 'item.completed')
      assert.equal((last?.item as { text?: string } | undefined)?.text, RENDERED)
    }
    const prompts = model.modelRequests.map(({ body }) => JSON.stringify(body.input).slice(-900))
    assert.match(prompts[0] ?? '', /git diff [0-9a-f]{40}/)
    assert.match(prompts[1] ?? '', /commit [0-9a-f]{40}/)
    assert.match(prompts[2] ?? '', /look at a/)
  })

  it('refuses what cannot be reviewed, in one line, and keeps nothing', async () => {
    await using place = await openRepository()
    await using model = await ScriptedResponsesServer.start([answer])
    await place.useModel(model.baseUrl)
    const wrong: [string[], RegExp][] = [
      [['--base', 'nowhere'], /no branch 'nowhere'/],
      [['--commit', 'abcdef1'], /'abcdef1' is not the name of one commit/],
      [['--base', 'main', '--uncommitted'], /more than one thing to review/],
      [['--title', 'x'], /--title goes with --commit/],
      [[' '], /instructions must not be empty/],
    ]
    for (const [words, message] of wrong) {
      const outcome = await place.run(['review', ...words])
      assert.match(outcome.stderr.trim().split('\n').at(-1) ?? '', message)
      assert.equal(outcome.exitCode, 2)
    }
    assert.equal((await place.homeFiles()).filter((path) => path.includes('rollout-')).length, 0)
  })
})
