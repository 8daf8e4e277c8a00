/** How `bobbin app-server` serves when it is told nothing else. */
export const APP_SERVER_DEFAULTS = { listen: 'stdio://', config: [], drainSeconds: '30' } as const
