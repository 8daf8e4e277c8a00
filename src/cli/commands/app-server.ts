import {
  type AppServer,
  type AuthFlags,
  authority,
  capabilityToken,
  controlSocketPath,
  isLoopback,
  keptToken,
  type ListenUrl,
  missingAuth,
  networkGate,
  openControlSocket,
  openWebSocketTransport,
  parseListenUrl,
  proxyToSocket,
  readAuth,
  type Serving,
  StdioTransport,
  serveUntilStopped,
  type Transport,
  TransportError,
  type WebSocketAuth,
} from '../../app-server/index.ts'
import { systemClock } from '../../base/index.ts'
import { checkHome, resolveHome } from '../../config/index.ts'
import { CliError } from '../cli-error.ts'
import { ComposedServer } from '../compose-server.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { StopSignals } from '../stop-signals.ts'

export interface AppServerFlags extends AuthFlags {
  readonly listen: string
  readonly config: readonly string[]
  readonly drainSeconds: string
}

/** How long the process may outlive its work. */
const EXIT_LIMIT_MS = 3000

/** Serves until its client leaves or it is told to stop. */
export function runAppServer(flags: AppServerFlags): Promise<ExitCode> {
  return withExitCodes(() => serve(flags))
}

/** Connects standard input and output with a server's socket. */
export function runProxy({ sock }: { readonly sock?: string }): Promise<ExitCode> {
  return withExitCodes(async () => {
    const path = sock ?? controlSocketPath(resolveHome(process.env))
    await proxyToSocket(path, { input: process.stdin, output: process.stdout })
    return EXIT.ok
  })
}

async function withExitCodes(run: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof TransportError) throw new CliError(EXIT[error.code], error.message)
    throw error
  }
}

async function serve(flags: AppServerFlags): Promise<ExitCode> {
  // Whoever has started us may have closed it: then nobody reads our log.
  process.stderr.on('error', () => undefined)
  const { url, auth, drainMs } = readFlags(flags)
  const home = resolveHome(process.env)
  checkHome(home)
  using wishes = new StopSignals()
  await using composed = new ComposedServer({
    home,
    environment: process.env,
    overrides: flags.config,
    onBadConfig: (error) => log(`${error.message}; starting on defaults`),
  })
  const { server } = composed
  const transport = await openTransport(url, { server, home, auth })
  const clock = systemClock
  const end = await serveUntilStopped({ server, transport, wishes, drainMs, clock, log })
  const exitCode = end.isFailure ? EXIT.failed : EXIT.ok
  // A request that never ends, a pipe that nobody reads: all that matters is done.
  setTimeout(() => process.exit(exitCode), EXIT_LIMIT_MS).unref()
  return exitCode
}

function log(line: string): void {
  process.stderr.write(`bobbin app-server: ${line}\n`)
}

interface Wanted {
  readonly url: Exclude<ListenUrl, { readonly kind: 'off' }>
  readonly auth: WebSocketAuth | undefined
  readonly drainMs: number
}

function readFlags(flags: AppServerFlags): Wanted {
  const url = parseListenUrl(flags.listen)
  const auth = readAuth(flags)
  if (!/^\d{1,6}$/.test(flags.drainSeconds)) {
    const reason = `--drain-seconds ${flags.drainSeconds}: not a whole number of seconds`
    throw new TransportError('usage', reason)
  }
  if (url.kind === 'off') {
    const reason = 'no transport configured; use --listen or enable remote control'
    throw new TransportError('failed', reason)
  }
  return { url, auth, drainMs: Number(flags.drainSeconds) * 1000 }
}

interface Parts {
  readonly server: AppServer
  readonly home: string
  readonly auth: WebSocketAuth | undefined
}

async function openTransport(url: Wanted['url'], parts: Parts): Promise<Transport> {
  const serving: Serving = { connect: (wire) => parts.server.connect(wire), log }
  const clock = systemClock
  if (url.kind === 'unix') {
    const path = url.path ?? controlSocketPath(parts.home)
    return await openControlSocket({ path, serving, clock })
  }
  if (url.kind === 'websocket') return await openWebSocket(url, serving, parts)
  const { stdin: input, stdout: output } = process
  if (input.isTTY) log('waiting for JSON-RPC messages on standard input; see --help')
  return new StdioTransport({ serving, input, output, clock })
}

async function openWebSocket(
  { host, port }: Extract<ListenUrl, { readonly kind: 'websocket' }>,
  serving: Serving,
  { home, auth: asked }: Parts,
): Promise<Transport> {
  const isLocal = isLoopback(host)
  const isOpen = asked === undefined || asked.mode === 'none'
  if (!isLocal && isOpen) throw missingAuth(authority(host, port))
  const kept = asked ? undefined : keptToken(home)
  const auth = asked ?? capabilityToken(kept?.token ?? '')
  const clock = systemClock
  const nowMs = () => clock.nowMs()
  const transport = await openWebSocketTransport({
    serving,
    gate: networkGate({ auth, host, allowedOrigins: [], nowMs }),
    clock,
    where: { host, port },
  })
  const at = authority(host, transport.port)
  const about = [
    'bobbin app-server (WebSockets)',
    `  listening on: ws://${at}`,
    `  readyz: http://${at}/readyz`,
    `  healthz: http://${at}/healthz`,
    isLocal
      ? '  note: binds localhost only (use SSH port-forwarding for remote access)'
      : '  note: not encrypted; put a proxy with TLS in front of it',
  ]
  if (kept) about.push(`  token file: ${kept.path}`)
  if (kept?.isNew) about.push(`  token: ${kept.token}`)
  process.stderr.write(`${about.join('\n')}\n`)
  return transport
}
