import Type, { type Static } from 'typebox'
import { fault, type Context, type Decision } from '#engine'
import { Data, Instant, instantMs, MessageId } from './fields.ts'

const Component = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100, pattern: '^[^+#/$]+$' }),
  status: Type.Union([Type.Literal('operational'), Type.Literal('degraded'), Type.Literal('down')]),
  message: Type.Optional(Type.String({ maxLength: 1024 })),
})

export const StatusBody = Type.Object({
  component: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^+#/$]+$' })),
  status: Type.Optional(
    Type.Union([Type.Literal('operational'), Type.Literal('degraded'), Type.Literal('down')]),
  ),
  message: Type.Optional(Type.String({ maxLength: 1024 })),
  components: Type.Optional(Type.Array(Component, { maxItems: 200 })),
  id: MessageId,
})
type StatusBody = Static<typeof StatusBody>

export const MaintenanceBody = Type.Object({
  component: Type.Optional(Type.String({ maxLength: 100, pattern: '^[^+#/$]+$' })),
  title: Type.Optional(Type.String({ maxLength: 255 })),
  message: Type.Optional(Type.String({ maxLength: 4096 })),
  start: Instant,
  end: Instant,
  affected_systems: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100 })),
  data: Data,
  id: MessageId,
})
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

/** R35: announces the window on `state/system/{component}`. `{status: "maintenance_announced"}`. */
export function maintenanceNotification(context: Context<object, MaintenanceBody>): Decision {
  const { body } = context
  const start = instantMs('start', body.start)
  const end = instantMs('end', body.end)
  if (start !== undefined && end !== undefined && end <= start)
    throw fault('publish.invalid_body', 'end is not after start', { field: 'end' })
  if (body.component === undefined && body.affected_systems === undefined && body.message === undefined) {
    throw fault('publish.invalid_body', 'component, affected_systems or message is required')
  }
  const begun = start === undefined || start <= context.now
  const names = body.component === undefined ? (body.affected_systems ?? ['maintenance']) : [body.component]
  return {
    kind: 'status',
    components: names.map((name) => ({
      name: name.replaceAll(/[+#/$]/g, '_'),
      state: {
        component: name,
        status: begun ? 'maintenance' : 'maintenance_scheduled',
        ...(body.title !== undefined && { title: body.title }),
        ...(body.message !== undefined && { message: body.message }),
        ...(start !== undefined && { start: new Date(start).toISOString() }),
        ...(end !== undefined && { end: new Date(end).toISOString() }),
      },
    })),
    result: { status: 'maintenance_announced', components: names.length },
  }
}
