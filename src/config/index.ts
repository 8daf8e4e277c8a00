export { ConfigError, type ConfigFailure } from './errors.ts'
export { checkHome, installationId, resolveHome } from './home.ts'
export { type Config, type LoadConfig, loadConfig } from './load-config.ts'
export { type ProviderConfig, requireProvider, requireToken } from './providers.ts'
