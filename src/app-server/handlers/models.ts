import * as z from 'zod/mini'
import type { Json, JsonObject } from '../../base/index.ts'
import { DEFAULT_MODEL } from '../../core/index.ts'
import { method } from '../protocol/method.ts'
import { pageOf } from '../protocol/pages.ts'
import { count, optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'

const modelList = method('model/list', () =>
  z.object({
    cursor: optional(z.string()),
    limit: optional(count),
    includeHidden: optional(z.boolean()),
  }),
)

const capabilities = method('modelProvider/capabilities/read', () => z.object({}))

const EFFORTS = {
  low: 'Answers soon, thinks little',
  medium: 'For everyday work',
  high: 'Thinks longer about hard problems',
  xhigh: 'Thinks as long as it takes',
} as const

interface Model {
  readonly id: string
  readonly name: string
  readonly about: string
  /** The model that 0.133.0 points its users to. */
  readonly upgrade?: string
  readonly isHidden?: boolean
  readonly hasPersonality?: boolean
  readonly isFast?: boolean
}

/** Source: observed, 0.133.0; what is said about them is ours. */
const MODELS: readonly Model[] = [
  { id: 'gpt-5.5', name: 'GPT-5.5', about: 'For large and difficult work.', isFast: true },
  { id: 'gpt-5.4', name: 'gpt-5.4', about: 'For everyday coding.', isFast: true },
  { id: 'gpt-5.4-mini', name: 'GPT-5.4-Mini', about: 'Quick and cheap, for simple tasks.' },
  { id: 'gpt-5.3-codex', name: 'gpt-5.3-codex', about: 'Made for coding.', upgrade: 'gpt-5.4' },
  {
    id: 'gpt-5.2',
    name: 'gpt-5.2',
    about: 'For long tasks.',
    upgrade: 'gpt-5.4',
    hasPersonality: false,
  },
  {
    id: 'codex-auto-review',
    name: 'Codex Auto Review',
    about: 'Looks through what wants an approval.',
    isHidden: true,
  },
]

export function modelRoutes(): Route[] {
  return [
    route(modelList, async ({ includeHidden, ...page }) => {
      const shown = MODELS.filter((model) => includeHidden || !model.isHidden)
      return pageOf(shown.map(wireModel), page, 'models')
    }),
    route(capabilities, async () => ({
      namespaceTools: true,
      imageGeneration: true,
      webSearch: true,
    })),
  ]
}

function wireModel(model: Model): JsonObject {
  const { id, name, about, upgrade, isHidden = false, hasPersonality = true, isFast } = model
  const efforts = Object.entries(EFFORTS).map(
    ([reasoningEffort, description]): Json => ({ reasoningEffort, description }),
  )
  return {
    id,
    model: id,
    upgrade: upgrade ?? null,
    upgradeInfo:
      upgrade === undefined
        ? null
        : { model: upgrade, upgradeCopy: null, modelLink: null, migrationMarkdown: null },
    availabilityNux: null,
    displayName: name,
    description: about,
    hidden: isHidden,
    supportedReasoningEfforts: efforts,
    defaultReasoningEffort: 'medium',
    inputModalities: ['text', 'image'],
    supportsPersonality: hasPersonality,
    additionalSpeedTiers: isFast ? ['fast'] : [],
    serviceTiers: isFast
      ? [{ id: 'priority', name: 'Fast', description: 'Faster, costs more' }]
      : [],
    defaultServiceTier: null,
    isDefault: id === DEFAULT_MODEL,
  }
}
