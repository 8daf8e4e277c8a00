export { isPeer } from './peer-client.ts'
export { PeerOffer } from './peer-offer.ts'
export { RequestForwarder } from './request-forwarder.ts'
