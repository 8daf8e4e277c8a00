export { type ConfigWarning, configWarning } from './config-warning.ts'
export { ConfigError, type ConfigFailure } from './errors.ts'
export { type HomeExecPolicy, homeExecPolicy, type RuleFile } from './exec-policy.ts'
export { checkHome, installationId, resolveHome } from './home.ts'
export { type Config, type LoadConfig, loadConfig } from './load-config.ts'
export { forgetLogin, type Login, readLogin, saveApiKey } from './login.ts'
export type { McpServerConfig } from './mcp-servers.ts'
export { type ProviderConfig, requireProvider, requireToken } from './providers.ts'
export { type SkillSelector, writeSkillRule } from './skill-rules.ts'
export { listSkills, type Skill, type SkillError } from './skills.ts'
export { trustLevel } from './trust-level.ts'
export {
  type ConfigEdit,
  ConfigWriteError,
  configVersion,
  readUserConfig,
  userConfigPath,
  withProfile,
  writeUserConfig,
} from './user-config.ts'
