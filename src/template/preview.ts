import type { TenantId } from '../access/principal.ts'
import type { Alert } from '../alert/alert.ts'
import type { Recipient, Rendered, RenderInput, Subject } from '../delivery/channel.ts'
import type { Channels } from '../delivery/channels/index.ts'
import { contentOf } from '../delivery/message/content.ts'
import type { ChannelName } from '../delivery/delivery.ts'
import { newDelivery } from '../delivery/plan.ts'
import type { ChosenPart, Templates } from './choose-part.ts'
import { messageData } from './message-data.ts'
import type { Compile } from './template-cache.ts'
import { chosenFor, word, type Worded } from './wordings.ts'

/** A message that nobody gets. */
export interface PreviewRequest {
  /** An event, or `alert.<type>`. */
  readonly event: string
  readonly channel: ChannelName
  readonly data: Readonly<Record<string, unknown>>
  readonly title: string
  readonly message: string
  readonly recipient: Recipient
  readonly tenant: TenantId
  readonly now: number
}

export interface Preview {
  /** Null when no template fits: the message would go out as it was published. */
  readonly chosen: Pick<ChosenPart, 'pattern' | 'locale' | 'name'> | null
  /** The message as it would be sent; with a fault, and so where anything is missing, that is the plain one. */
  readonly rendered: Rendered
  readonly missing: readonly string[]
  readonly faults: Worded['faults']
}

export interface PreviewDeps {
  readonly templates: () => Templates
  readonly compile: Compile
  readonly channels: Channels
  readonly publicUrl: () => string
}

/** Renders a message through the very parts that a delivery goes through. Null where the channel renders nothing. */
export function previewMessage(deps: PreviewDeps, request: PreviewRequest): Preview | null {
  const channel = deps.channels.get(request.channel)?.channel
  if (!channel && request.channel !== 'realtime') return null
  const input = inputOf(request, deps.publicUrl())
  const chosen = chosenFor(deps.templates(), input)
  const worded = chosen && word(chosen, messageData(input), deps.compile)
  const { faults = [], missing = [] } = worded ?? {}
  const wording = faults.length > 0 ? null : (worded?.wording ?? null)
  return {
    chosen: chosen && { pattern: chosen.pattern, locale: chosen.locale, name: chosen.name },
    rendered: channel ? channel.render({ ...input, wording }) : renderInbox({ ...input, wording }),
    missing,
    faults,
  }
}

/** What an entry of an inbox says. */
function renderInbox(input: RenderInput): Rendered {
  const { title, text, actions } = contentOf(input)
  return { subject: title, text, actions }
}

function inputOf(request: PreviewRequest, publicUrl: string): RenderInput {
  const { event, channel, recipient, tenant, now } = request
  const alertType = event.startsWith('alert.') ? event.slice('alert.'.length) : null
  const subject: Subject =
    alertType === null
      ? { kind: 'notification', notification: notificationOf(request) }
      : { kind: 'alert', alert: alertOf(request, alertType) }
  const { delivery } = newDelivery({
    tenant,
    subjectKind: alertType === null ? 'notification' : 'alert',
    subjectId: PREVIEW,
    ordinal: 0,
    purpose: alertType === null ? 'message' : 'page',
    userId: recipient.id,
    channel,
    address: null,
    critical: alertType !== null,
    origin: ORIGIN,
    now,
  })
  return { delivery, subject, recipient, fixed: null, publicUrl }
}

const PREVIEW = 'preview'
const ORIGIN = { principal: PREVIEW, messageId: PREVIEW, topic: PREVIEW }

function notificationOf({ event, data, title, message, recipient, tenant, channel, now }: PreviewRequest) {
  return {
    seq: 0,
    id: PREVIEW,
    tenant,
    userId: recipient.id,
    audience: [],
    origin: ORIGIN,
    content: { title, message, type: 'info', priority: 'normal' as const, data, event, channels: [channel] },
    createdAt: now,
    readAt: null,
  }
}

function alertOf({ data, message, tenant, now }: PreviewRequest, type: string): Alert {
  return {
    id: PREVIEW,
    tenant,
    type,
    severity: 'critical',
    message,
    source: PREVIEW,
    affectedSystems: [],
    data,
    dedupKey: PREVIEW,
    status: 'firing',
    acknowledgedBy: null,
    acknowledgedAt: null,
    acknowledgedVia: null,
    team: null,
    policy: { steps: [], repeat: 0, ackTimeoutMs: null },
    step: 1,
    repeat: 0,
    nextStepAt: null,
    resolvedAt: null,
    suppressedBy: null,
    told: {},
    nextOrdinal: 1,
    pagesFrom: 0,
    origin: ORIGIN,
    createdAt: now,
    version: 1,
    count: 1,
    lastAt: now,
  }
}
