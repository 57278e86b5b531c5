import Type, { type Static } from 'typebox'
import { fault, type Context, type Decision } from '#engine'
import { Data, Instant, instantMs, MessageId } from './fields.ts'

const Component = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100, pattern: '^[^+#/$]+$' }),
  status: Type.Union([Type.Literal('operational'), Type.Literal('degraded'), Type.Literal('down')]),
  message: Type.Optional(Type.String({ maxLength: 1024 })),
})

export const StatusBody = Type.Object(
  {
    component: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^+#/$]+$' })),
    status: Type.Optional(
      Type.Union([Type.Literal('operational'), Type.Literal('degraded'), Type.Literal('down')]),
    ),
    message: Type.Optional(Type.String({ maxLength: 1024 })),
    components: Type.Optional(Type.Array(Component, { maxItems: 200 })),
    id: MessageId,
  },
  { examples: [{ component: 'database', status: 'degraded', message: 'Slow answers' }] },
)
type StatusBody = Static<typeof StatusBody>

const Patterns = Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
  maxItems: 100,
  description: '`*` stands for anything',
})

export const MaintenanceBody = Type.Object(
  {
    component: Type.Optional(Type.String({ maxLength: 100, pattern: '^[^+#/$]+$' })),
    title: Type.Optional(Type.String({ maxLength: 255 })),
    message: Type.Optional(Type.String({ maxLength: 4096 })),
    start: Instant,
    end: Instant,
    affected_systems: Type.Optional(
      Type.Array(Type.String({ maxLength: 255 }), {
        maxItems: 100,
        description: 'Alerts whose source or affected systems are among these are muted',
      }),
    ),
    sources: Type.Optional(Patterns),
    alert_types: Type.Optional(Patterns),
    status: Type.Optional(
      Type.Union([Type.Literal('scheduled'), Type.Literal('cancelled')], { default: 'scheduled' }),
    ),
    target_groups: Type.Optional(
      Type.Array(Type.String({ maxLength: 128 }), {
        maxItems: 100,
        description: 'Who is told; else everybody',
      }),
    ),
    data: Data,
    id: MessageId,
  },
  {
    examples: [
      {
        title: 'New switches',
        start: '2026-01-05T22:00:00Z',
        end: '2026-01-05T23:00:00Z',
        affected_systems: ['shop'],
      },
    ],
  },
)
type MaintenanceBody = Static<typeof MaintenanceBody>

/** R34: keeps the current state of each component; only a change is passed on. `{status: "status_updated", components}`. */
export function systemStatusUpdate(context: Context<object, StatusBody>): Decision {
  const { body } = context
  const single =
    body.component !== undefined && body.status !== undefined
      ? [{ name: body.component, status: body.status, message: body.message }]
      : []
  const components = [...single, ...(body.components ?? [])]
  if (components.length === 0)
    throw fault('publish.invalid_body', 'component and status, or components, are required')
  return {
    kind: 'status',
    components: components.map(({ name, status, message }) => ({
      name,
      state: { component: name, status, ...(message !== undefined && { message }) },
    })),
    result: { status: 'status_updated', components: components.length },
  }
}

/**
 * R35: announces the window on `state/system/{component}` and mutes what it affects while it lasts; the same id again
 * changes or cancels it. `{status: "maintenance_announced" | "maintenance_cancelled", components, maintenance_id}`.
 */
export function maintenanceNotification(context: Context<object, MaintenanceBody>): Decision {
  const { body } = context
  const start = instantMs('start', body.start)
  const end = instantMs('end', body.end)
  const cancelled = body.status === 'cancelled'
  if (start !== undefined && end !== undefined && end <= start)
    throw fault('publish.invalid_body', 'end is not after start', { field: 'end' })
  const systems = body.affected_systems ?? []
  const named = [body.component, body.affected_systems, body.message, body.sources, body.alert_types]
  if (!cancelled && named.every((field) => field === undefined)) {
    throw fault(
      'publish.invalid_body',
      'component, affected_systems, sources, alert_types or message is required',
    )
  }
  const unnamed = body.id === undefined && systems.length === 0 ? ['maintenance'] : systems
  const components = (body.component === undefined ? unnamed : [body.component]).map((name) =>
    name.replaceAll(/[+#/$]/g, '_'),
  )
  return {
    kind: 'maintenance',
    window: {
      title: body.title,
      message: body.message,
      start,
      end,
      components,
      systems: body.component === undefined ? systems : [...new Set([body.component, ...systems])],
      sources: body.sources ?? [],
      types: body.alert_types ?? [],
      groups: body.target_groups ?? [],
    },
    cancelled,
    result: {
      status: cancelled ? 'maintenance_cancelled' : 'maintenance_announced',
      components: components.length,
    },
  }
}
