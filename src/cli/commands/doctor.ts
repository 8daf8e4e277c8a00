import { errorText, nodeFileSystem, systemClock } from '../../base/index.ts'
import { ConfigError, checkHome, loadConfig, resolveHome } from '../../config/index.ts'
import { findSandbox } from '../../core/index.ts'
import {
  type Finding,
  finding,
  type HomeReport,
  type InspectHome,
  inspectHome,
  type RepairOutcome,
  repairHome,
} from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { DoctorThreads, helpDoctor } from '../doctor-helpers.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Interrupt } from '../interrupt.ts'
import { doctorJson, printDoctor } from '../output/doctor-text.ts'
import { Progress } from '../output/progress.ts'
import { Terminal } from '../output/terminal.ts'

export interface DoctorFlags {
  readonly repair?: boolean
  readonly json?: boolean
  readonly summary?: boolean
}

/** What the doctor has to tell. `repairs` is null when none were asked for. */
export interface Diagnosis {
  readonly home: string
  readonly report: HomeReport
  readonly repairs: readonly RepairOutcome[] | null
}

/** Examines the home, mends what can be mended when asked to, and tells what is still wrong. */
export async function runDoctor(flags: DoctorFlags): Promise<ExitCode> {
  if (await helpDoctor()) return EXIT.ok
  const home = resolveHome(process.env)
  checkHome(home)
  using interrupt = new Interrupt()
  const params = {
    home,
    files: nodeFileSystem,
    clock: systemClock,
    searchPath: process.env.PATH ?? '',
    signal: interrupt.signal,
  }
  try {
    const report = await inspect(params)
    const repairs = flags.repair ? await repairHome(params, report.findings) : null
    // What was mended before Ctrl-C is told all the same.
    const after = repairs && !interrupt.signal.aborted ? await inspect(params) : report
    tell({ home, report: after, repairs }, flags)
    if (interrupt.signal.aborted) return EXIT.interrupted
    return after.findings.some(({ severity }) => severity === 'fail') ? EXIT.damaged : EXIT.ok
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    throw new CliError(EXIT.interrupted, 'interrupted; nothing was left half done')
  }
}

async function inspect(params: InspectHome): Promise<HomeReport> {
  using progress = new Progress('MB of threads examined')
  using helpers = new DoctorThreads()
  const report = await inspectHome({
    ...params,
    helpers,
    onProgress: ({ doneBytes, totalBytes }) =>
      progress.show(megabytes(doneBytes), megabytes(totalBytes)),
  })
  const machine = [configFinding(params.home), await sandboxFinding(params.searchPath)]
  return { ...report, findings: [...machine, ...report.findings] }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1_000_000)
}

function configFinding(home: string): Finding {
  const told = { section: 'home', code: 'config' } as const
  try {
    loadConfig({ home, environment: process.env, overrides: [] })
    return finding({ ...told, severity: 'ok', what: 'the configuration can be read' })
  } catch (error) {
    const remedy = (error instanceof ConfigError && error.remedy) || 'mend config.toml'
    return finding({ ...told, severity: 'fail', what: errorText(error), remedy })
  }
}

/** Also a matter of the machine: without it commands are asked for one by one, or refused. */
async function sandboxFinding(searchPath: string): Promise<Finding> {
  using state = await findSandbox({ searchPath })
  const told = { section: 'home', code: 'sandbox' } as const
  if (state.isThere) return finding({ ...told, severity: 'ok', what: 'commands can be confined' })
  const what = `commands cannot be confined: ${state.reason}`
  const remedy = 'install bubblewrap, or run bobbin where user namespaces are allowed'
  return finding({ ...told, severity: 'warn', what, remedy })
}

function tell(diagnosis: Diagnosis, flags: DoctorFlags): void {
  const isSummary = flags.summary === true
  if (flags.json) process.stdout.write(`${JSON.stringify(doctorJson(diagnosis, isSummary))}\n`)
  else printDoctor(new Terminal(process.stdout), diagnosis, isSummary)
}
