import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { openSystemPipe } from './pipe.ts'

const skip = process.platform !== 'linux'

describe('a pipe of the system', { skip }, () => {
  it('brings what a child writes, by either end of its outputs, in order', () => {
    const { readFd, writeFd } = openSystemPipe() ?? assert.fail('there is none')
    const script = 'echo one; echo two > /dev/stderr; echo three'
    const { status } = spawnSync('sh', ['-c', script], { stdio: ['ignore', writeFd, writeFd] })
    closeSync(writeFd)
    assert.deepEqual([status, readFileSync(readFd, 'utf8')], [0, 'one\ntwo\nthree\n'])
    closeSync(readFd)
  })

  it('is not inherited', () => {
    const { readFd, writeFd } = openSystemPipe() ?? assert.fail('there is none')
    const { stdout } = spawnSync('ls', ['/proc/self/fd'], { encoding: 'utf8' })
    const theirs = stdout.split('\n')
    assert.deepEqual([theirs.includes(`${readFd}`), theirs.includes(`${writeFd}`)], [false, false])
    closeSync(readFd)
    closeSync(writeFd)
  })

  it('is two descriptors, which whoever has it closes', () => {
    const before = readdirSync('/proc/self/fd').length
    const pipes = Array.from({ length: 10 }, () => openSystemPipe() ?? assert.fail('there is none'))
    assert.equal(readdirSync('/proc/self/fd').length, before + 20)
    for (const { readFd, writeFd } of pipes) {
      closeSync(readFd)
      closeSync(writeFd)
    }
  })
})
