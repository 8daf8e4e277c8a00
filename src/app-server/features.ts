interface Feature {
  readonly name: string
  readonly stage: 'beta' | 'underDevelopment' | 'stable' | 'deprecated' | 'removed'
  /** Of features that people are asked about. */
  readonly displayName: string | null
  readonly description: string | null
  readonly defaultEnabled: boolean
}

const LABELS: { readonly [name: string]: readonly [displayName: string, description: string] } = {
  terminal_resize_reflow: [
    'Terminal resize reflow',
    'Draw the scrollback anew when the terminal gets another width.',
  ],
  memories: ['Memories', 'Keep what is worth remembering of threads, and use it in new ones.'],
  network_proxy: ['Network proxy', 'Hold commands that have a network to the rules of a proxy.'],
  external_migration: ['External migration', 'Offer to take over the settings of other agents.'],
  mentions_v2: ['Mentions v2', 'One list behind @ for files, folders, apps, plugins and skills.'],
  prevent_idle_sleep: [
    'Prevent sleep while running',
    'Keep the computer awake while a thread works.',
  ],
}

/** Names by stage and default. Source: observed, 0.133.0, in its order. */
const STAGES: readonly (readonly [Feature['stage'], isOn: boolean, names: string])[] = [
  ['removed', false, 'undo'],
  ['stable', true, 'shell_tool unified_exec'],
  ['underDevelopment', false, 'shell_zsh_fork'],
  ['stable', true, 'shell_snapshot'],
  ['removed', false, 'js_repl'],
  ['underDevelopment', false, 'code_mode code_mode_only'],
  ['removed', false, 'js_repl_tools_only'],
  ['beta', true, 'terminal_resize_reflow'],
  ['deprecated', false, 'web_search_request web_search_cached'],
  ['removed', false, 'search_tool codex_git_commit'],
  ['underDevelopment', false, 'runtime_metrics'],
  ['removed', true, 'sqlite'],
  ['beta', false, 'memories'],
  ['underDevelopment', false, 'chronicle child_agents_md'],
  ['removed', false, 'apply_patch_freeform'],
  ['underDevelopment', false, 'apply_patch_streaming_events exec_permission_approvals'],
  ['stable', true, 'hooks'],
  ['underDevelopment', false, 'request_permissions_tool'],
  ['removed', false, 'use_linux_sandbox_bwrap'],
  ['deprecated', false, 'use_legacy_landlock'],
  ['removed', false, 'request_rule experimental_windows_sandbox'],
  ['removed', false, 'elevated_windows_sandbox remote_models'],
  ['stable', true, 'enable_request_compression'],
  ['beta', false, 'network_proxy'],
  ['stable', true, 'multi_agent'],
  ['underDevelopment', false, 'multi_agent_v2 enable_fanout'],
  ['stable', true, 'apps'],
  ['underDevelopment', false, 'enable_mcp_apps apps_mcp_path_override'],
  ['removed', false, 'tool_search'],
  ['underDevelopment', false, 'tool_search_always_defer_mcp_tools'],
  ['removed', false, 'unavailable_dummy_tools'],
  ['stable', true, 'tool_suggest plugins plugin_hooks in_app_browser browser_use'],
  ['stable', true, 'browser_use_external computer_use'],
  ['underDevelopment', false, 'remote_plugin'],
  ['stable', true, 'plugin_sharing'],
  ['beta', false, 'external_migration'],
  ['stable', true, 'image_generation skill_mcp_dependency_install'],
  ['removed', false, 'skill_env_var_dependency_prompt'],
  ['beta', false, 'mentions_v2'],
  ['removed', true, 'steer'],
  ['underDevelopment', false, 'default_mode_request_user_input'],
  ['stable', true, 'guardian_approval goals'],
  ['removed', true, 'collaboration_modes'],
  ['stable', true, 'tool_call_mcp_elicitation'],
  ['underDevelopment', false, 'auth_elicitation'],
  ['stable', true, 'personality'],
  ['underDevelopment', false, 'artifact'],
  ['stable', true, 'fast_mode'],
  ['underDevelopment', false, 'realtime_conversation'],
  ['removed', false, 'remote_control image_detail_original'],
  ['removed', true, 'tui_app_server'],
  ['beta', false, 'prevent_idle_sleep'],
  ['removed', false, 'workspace_owner_usage_nudge responses_websockets'],
  ['removed', false, 'responses_websockets_v2'],
  ['underDevelopment', false, 'responses_websocket_response_processed remote_compaction_v2'],
  ['stable', true, 'workspace_dependencies'],
]

/**
 * The feature flags that clients may ask about. They are shown as configured; hardly any of them
 * changes what Bobbin does.
 */
export const FEATURES: readonly Feature[] = STAGES.flatMap(([stage, defaultEnabled, names]) =>
  names.split(' ').map((name) => {
    const [displayName = null, description = null] = LABELS[name] ?? []
    return { name, stage, displayName, description, defaultEnabled }
  }),
)

export function isFeature(name: string): boolean {
  return FEATURES.some((feature) => feature.name === name)
}

/** Those that a client may switch. Source: observed, 0.133.0. */
export const SETTABLE_FEATURES: readonly string[] = [
  'apps',
  'memories',
  'mentions_v2',
  'plugins',
  'remote_control',
  'tool_suggest',
  'tool_call_mcp_elicitation',
]
