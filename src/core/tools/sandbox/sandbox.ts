import type { SandboxPolicy } from '../../../protocol/index.ts'

/** Processors for which calls of the network can be told from others. */
export type Architecture = 'x64' | 'arm64'

/** Policies under which commands run inside of a sandbox. */
export type ConfiningPolicy = Extract<SandboxPolicy, { type: 'read-only' | 'workspace-write' }>

export interface ConfineRequest {
  readonly policy: ConfiningPolicy
  /** The folder that the policy is about; a command may run in another one. */
  readonly cwd: string
  readonly command: readonly string[]
  /** A command with a terminal keeps it as its own. */
  readonly isTty: boolean
}

/** A command as it has to be started to be confined. */
export interface Confined {
  readonly command: readonly string[]
  readonly env: { readonly [name: string]: string }
  /** To be called when the command has ended, or was never started. Idempotent. */
  release(): void
}

/** What confines commands. The operating system does: not even a hostile command gets out. */
export interface Sandbox {
  /** As request metadata calls it. */
  readonly name: string
  /** Throws `SandboxError` when a command cannot be confined as the policy demands. */
  confine(request: ConfineRequest): Promise<Confined>
}

/** A sandbox that works, or why there is none and what to do about it. */
export type SandboxState =
  | { readonly isThere: true; readonly sandbox: Sandbox }
  | { readonly isThere: false; readonly reason: string }

/** Why a command cannot be confined. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}

export function isConfining(policy: SandboxPolicy): policy is ConfiningPolicy {
  return policy.type === 'read-only' || policy.type === 'workspace-write'
}

export function hasNetwork(policy: SandboxPolicy): boolean {
  if (policy.type === 'danger-full-access') return true
  return policy.network_access === true || policy.network_access === 'enabled'
}

/**
 * What a command is told of a network that it has not. Source: observed, 0.133.0, which also says
 * so to commands that run outside of the sandbox and do have one.
 */
export function networkEnvironment(policy: SandboxPolicy): { readonly [name: string]: string } {
  return hasNetwork(policy) ? {} : { CODEX_SANDBOX_NETWORK_DISABLED: '1' }
}

/** What 0.133.0 calls its sandbox on Linux. */
export const LINUX_SANDBOX = 'seccomp'

/**
 * The sandbox as a request's metadata names it; undefined while nobody has looked for it, which
 * counts as there. Source: observed, 0.133.0, which never looks.
 */
export function sandboxName(policy: SandboxPolicy, state: SandboxState | undefined): string {
  if (policy.type === 'danger-full-access') return 'none'
  if (policy.type === 'external-sandbox') return 'external'
  if (state) return state.isThere ? state.sandbox.name : 'none'
  return process.platform === 'linux' ? LINUX_SANDBOX : 'none'
}
