export { isPeer } from './peer-client.ts'
export { PeerListener } from './peer-listener.ts'
export { RequestForwarder } from './request-forwarder.ts'
