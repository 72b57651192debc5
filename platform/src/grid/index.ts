export { MemberHost } from './member-host.ts'
export { NetworkClient } from './network-channel.ts'
