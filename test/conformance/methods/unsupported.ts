import type { METHOD_NAMES } from '../../../src/app-server/protocol/method-names.ts'

const PLUGINS = 'Bobbin has no plugins; their lists are empty'
const SHARES = 'they lie on servers of the vendor'
const REALTIME = 'speech goes through an endpoint of the vendor'
const REMOTE = 'remote control goes through servers of the vendor; its status is told as off'

/** Methods that are answered with -32601, and why. */
export const UNSUPPORTED: {
  readonly [method in (typeof METHOD_NAMES)[number]]?: string
} = {
  'marketplace/add': PLUGINS,
  'marketplace/remove': PLUGINS,
  'marketplace/upgrade': PLUGINS,
  'plugin/read': PLUGINS,
  'plugin/skill/read': PLUGINS,
  'plugin/install': PLUGINS,
  'plugin/uninstall': PLUGINS,
  'plugin/share/save': SHARES,
  'plugin/share/updateTargets': SHARES,
  'plugin/share/list': SHARES,
  'plugin/share/checkout': SHARES,
  'plugin/share/delete': SHARES,
  'thread/realtime/start': REALTIME,
  'thread/realtime/appendAudio': REALTIME,
  'thread/realtime/appendText': REALTIME,
  'thread/realtime/stop': REALTIME,
  'thread/realtime/listVoices': REALTIME,
  'remoteControl/enable': REMOTE,
  'remoteControl/disable': REMOTE,
  'mock/experimentalMethod': 'of the tests of Codex itself',
  'environment/add': 'commands run where the server runs, and nowhere else',
  'mcpServer/oauth/login': 'Bobbin keeps no tokens of OAuth; servers take a bearer token',
  'windowsSandbox/setupStart': 'there is no sandbox for Windows; it is told as not configured',
  'account/sendAddCreditsNudgeEmail': 'the vendor would have to send it',
  'externalAgentConfig/detect': 'nothing could be imported that is found',
  'externalAgentConfig/import': "Bobbin does not take over other agents' settings",
}
