export { PeerOffer } from './peer-offer.ts'
export { newPeerSocket } from './peer-sockets.ts'
export { RequestForwarder } from './request-forwarder.ts'
