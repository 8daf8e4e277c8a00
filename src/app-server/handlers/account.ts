import * as z from 'zod/mini'
import { forgetLogin, type Login, readLogin, saveApiKey } from '../../config/index.ts'
import { parseThreadId } from '../../protocol/index.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { method, plainMethod } from '../protocol/method.ts'
import { optional, taggedUnion } from '../protocol/schema.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'

const queueKey = () => 'account'
const accountRead = method(
  'account/read',
  () => z.object({ refreshToken: optional(z.boolean()) }),
  {
    queueKey,
  },
)
const authStatus = method(
  'getAuthStatus',
  () => z.object({ includeToken: optional(z.boolean()), refreshToken: optional(z.boolean()) }),
  { queueKey },
)
const rateLimits = plainMethod('account/rateLimits/read', { queueKey })
const loginParams = taggedUnion([
  z.object({ type: z.literal('apiKey'), apiKey: z.string() }),
  z.object({ type: z.literal('chatgpt') }),
  z.object({ type: z.literal('chatgptDeviceCode') }),
  z.object({ type: z.literal('chatgptAuthTokens') }),
])
const loginStart = method('account/login/start', () => loginParams, { queueKey })
const loginCancel = method('account/login/cancel', () => z.object({ loginId: z.string() }), {
  queueKey,
})
const logout = plainMethod('account/logout', { queueKey })

const MOST_KEY_CHARS = 16_384

/** Who pays. Bobbin logs in with API keys; accounts it knows of, but cannot use. */
export function accountRoutes(context: ServerContext): Route[] {
  const { home } = context
  return [
    route(accountRead, async () => {
      const { login, requiresOpenaiAuth } = await statusOf(context)
      return { account: login?.kind === 'apiKey' ? { type: 'apiKey' } : null, requiresOpenaiAuth }
    }),
    route(authStatus, async ({ includeToken }) => {
      const { login, requiresOpenaiAuth } = await statusOf(context)
      const key = login?.kind === 'apiKey' ? login.key : null
      return {
        authMethod: login ? modeOf(login) : null,
        authToken: includeToken ? key : null,
        requiresOpenaiAuth,
      }
    }),
    route(rateLimits, async () => {
      const login = await readLogin(home)
      const who = login ? 'chatgpt' : 'codex account'
      throw invalid(`${who} authentication required to read rate limits`)
    }),
    route(loginStart, (params, request) => start(context, params, request)),
    route(loginCancel, async ({ loginId }) => {
      if (!parseThreadId(loginId)) throw invalid(`invalid login id: ${loginId}`)
      // A login with an API key is over when it is answered: there is never one to be cancelled.
      return { status: 'notFound' }
    }),
    route(logout, async (_, { after }) => {
      await forgetLogin(home)
      after(() => context.broadcast('account/updated', { authMode: null, planType: null }))
      return {}
    }),
  ]
}

async function start(
  context: ServerContext,
  params: z.output<typeof loginParams>,
  { after }: RequestContext,
) {
  if (params.type !== 'apiKey') {
    const reason = `login of type ${params.type} is not supported by Bobbin; log in with an API key`
    throw new RpcError('methodNotFound', reason)
  }
  if (params.apiKey.length > MOST_KEY_CHARS) throw invalid('the API key is too long')
  await saveApiKey(context.home, params.apiKey)
  after(() => {
    context.broadcast('account/login/completed', { loginId: null, success: true, error: null })
    context.broadcast('account/updated', { authMode: 'apikey', planType: null })
  })
  return { type: 'apiKey' }
}

/** A provider that takes no OpenAI key has no use for a login, and is told of none. */
async function statusOf({ home, loadConfig }: ServerContext) {
  const { providers, modelProvider } = loadConfig([])
  const requiresOpenaiAuth = providers.get(modelProvider)?.usesOpenAiKey ?? false
  return { login: requiresOpenaiAuth ? await readLogin(home) : undefined, requiresOpenaiAuth }
}

function modeOf({ kind }: Login): string {
  return kind === 'apiKey' ? 'apikey' : 'chatgpt'
}
