import { execFile } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { errorText } from '../../../base/index.ts'
import { BwrapSandbox } from './bwrap-sandbox.ts'
import type { Architecture, SandboxState } from './sandbox.ts'

const PROGRAM = 'bwrap'
const PROBE_LIMIT_MS = 10_000
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'] satisfies Architecture[]

export interface FindSandbox {
  /** `PATH` of the environment. */
  readonly searchPath: string | undefined
  readonly platform?: NodeJS.Platform
  readonly architecture?: string
}

/**
 * The sandbox of this machine, once a command has run in it. Never rejects. Whoever gets one
 * disposes it.
 */
export async function findSandbox(where: FindSandbox): Promise<SandboxState & Disposable> {
  const { searchPath = '', platform = process.platform, architecture = process.arch } = where
  if (platform !== 'linux') return missing(`Bobbin has no sandbox for ${platform} yet`)
  if (!isKnown(architecture)) return missing(`Bobbin has no sandbox for ${architecture} yet`)
  const program = findProgram(searchPath)
  if (program === undefined) {
    return missing(`${PROGRAM} is not installed; the package is called bubblewrap`)
  }
  using finding = new DisposableStack()
  try {
    const sandbox = finding.use(new BwrapSandbox(program, architecture))
    await prove(sandbox)
    const owner = finding.move()
    return { isThere: true, sandbox, [Symbol.dispose]: () => owner.dispose() }
  } catch (error) {
    return missing(
      `${program} cannot build a sandbox here (${errorText(error)}); ` +
        'the system may have unprivileged user namespaces switched off',
    )
  }
}

function missing(reason: string): SandboxState & Disposable {
  return { isThere: false, reason, [Symbol.dispose]: () => undefined }
}

function isKnown(architecture: string): architecture is Architecture {
  return ARCHITECTURES.includes(architecture)
}

/** Relative entries would find what a project has put into its folder. */
function findProgram(searchPath: string): string | undefined {
  const folders = searchPath.split(delimiter).filter(isAbsolute)
  return folders.map((folder) => join(folder, PROGRAM)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not for us: the next folder is asked.
    return false
  }
}

/** Rejects with what the program says. */
async function prove(sandbox: BwrapSandbox): Promise<void> {
  const confined = await sandbox.confine({
    policy: { type: 'read-only' },
    cwd: '/',
    command: ['/bin/sh', '-c', ':'],
    isTty: false,
  })
  const [file = '', ...args] = confined.command
  const options = { cwd: '/', timeout: PROBE_LIMIT_MS, killSignal: 'SIGKILL' } as const
  await new Promise<void>((done, fail) => {
    execFile(file, args, options, (error, _stdout, stderr) => {
      if (error) fail(new Error(stderr.trim().split('\n')[0] || errorText(error)))
      else done()
    })
  })
}
