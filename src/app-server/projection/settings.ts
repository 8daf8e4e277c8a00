import type { Json, JsonObject } from '../../base/index.ts'
import type { SessionSettings } from '../../core/index.ts'
import type { SandboxPolicy, UserInput } from '../../protocol/index.ts'
import type { WireSandboxPolicy, WireUserInput } from '../protocol/thread-params.ts'

/** From the rollout's spelling to the wire's. Source: `reference/app-server.md` 5.4. */
export function wireSandbox(policy: SandboxPolicy): JsonObject {
  switch (policy.type) {
    case 'danger-full-access':
      return { type: 'dangerFullAccess' }
    case 'read-only':
      return { type: 'readOnly', networkAccess: policy.network_access ?? false }
    case 'external-sandbox':
      return { type: 'externalSandbox', networkAccess: policy.network_access }
    case 'workspace-write':
      return {
        type: 'workspaceWrite',
        writableRoots: policy.writable_roots ?? [],
        networkAccess: policy.network_access,
        excludeTmpdirEnvVar: policy.exclude_tmpdir_env_var,
        excludeSlashTmp: policy.exclude_slash_tmp,
      }
  }
}

export function sandboxOf(policy: WireSandboxPolicy): SandboxPolicy {
  switch (policy.type) {
    case 'dangerFullAccess':
      return { type: 'danger-full-access' }
    case 'readOnly':
      return { type: 'read-only', ...(policy.networkAccess ? { network_access: true } : {}) }
    case 'externalSandbox':
      return { type: 'external-sandbox', network_access: policy.networkAccess ?? 'restricted' }
    case 'workspaceWrite':
      return {
        type: 'workspace-write',
        ...(policy.writableRoots ? { writable_roots: policy.writableRoots } : {}),
        network_access: policy.networkAccess ?? false,
        exclude_tmpdir_env_var: policy.excludeTmpdirEnvVar ?? false,
        exclude_slash_tmp: policy.excludeSlashTmp ?? false,
      }
  }
}

const PROFILES: ReadonlyMap<string, SandboxPolicy> = new Map([
  [':read-only', { type: 'read-only' }],
  [
    ':workspace',
    {
      type: 'workspace-write',
      network_access: false,
      exclude_tmpdir_env_var: false,
      exclude_slash_tmp: false,
    },
  ],
  [':danger-full-access', { type: 'danger-full-access' }],
])

/**
 * What a built-in profile stands for, whatever the configuration says of the mode of that name.
 * Source: observed, 0.133.0.
 */
export function profilePolicy(id: string): SandboxPolicy | undefined {
  return PROFILES.get(id)
}

function activeProfile({ permissionProfile: id }: SessionSettings): Json {
  return id === undefined ? null : { id, extends: null }
}

/** What the results of start, resume and fork tell beside the thread. */
export function effectiveSettings(
  settings: SessionSettings,
  instructionSources: readonly string[],
): JsonObject {
  return {
    model: settings.model,
    modelProvider: settings.modelProvider,
    serviceTier: null,
    cwd: settings.cwd,
    runtimeWorkspaceRoots: [settings.cwd],
    instructionSources: [...instructionSources],
    approvalPolicy: settings.approvalPolicy as Json,
    approvalsReviewer: 'user',
    sandbox: wireSandbox(settings.sandboxPolicy),
    activePermissionProfile: activeProfile(settings),
    reasoningEffort: settings.effort ?? null,
  }
}

/** `ThreadSettings` of `thread/settings/updated`. */
export function threadSettings(settings: SessionSettings): JsonObject {
  return {
    cwd: settings.cwd,
    approvalPolicy: settings.approvalPolicy as Json,
    approvalsReviewer: 'user',
    sandboxPolicy: wireSandbox(settings.sandboxPolicy),
    activePermissionProfile: activeProfile(settings),
    model: settings.model,
    modelProvider: settings.modelProvider,
    serviceTier: null,
    effort: settings.effort ?? null,
    summary: settings.reasoningSummary ?? null,
    collaborationMode: {
      mode: 'default',
      settings: {
        model: settings.model,
        reasoning_effort: settings.effort ?? null,
        developer_instructions: null,
      },
    },
    personality: null,
  }
}

/** Mentions and skills are shown in the text; the model gets the text alone. */
export function userInputOf(input: readonly WireUserInput[]): UserInput[] {
  return input.flatMap((part): UserInput[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }]
    if (part.type === 'image') return [{ type: 'image', url: part.url }]
    return part.type === 'localImage' ? [{ type: 'localImage', path: part.path }] : []
  })
}
