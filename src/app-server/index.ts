export { AppServer, type AppServerOptions, type ClientPort } from './app-server.ts'
export type { Wire } from './connection.ts'
