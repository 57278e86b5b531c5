import Type from 'typebox'
import type { Engine } from '../../engine.ts'
import { MAINTENANCE, phaseOf, type Maintenance } from '../../noise/maintenance/maintenance.ts'
import { rfc3339 } from '../../wire/instant.ts'
import { FAILURES, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { reader } from './alerts.ts'

/** More ids than anybody reads; the count is of all. */
const MOST_IDS = 100

const STATES = ['scheduled', 'active', 'over', 'cancelled'] as const

const nullable = () => Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
const texts = () => Type.Array(Type.String())

const MaintenanceWindow = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum([...STATES]),
    title: Type.Union([Type.String(), Type.Null()]),
    message: Type.Union([Type.String(), Type.Null()]),
    start: Type.String({ format: 'date-time' }),
    end: nullable(),
    affected_systems: texts(),
    sources: texts(),
    alert_types: texts(),
    target_groups: texts(),
    by: Type.String({ description: 'Who announced it first' }),
    announced_at: Type.String({ format: 'date-time' }),
    cancelled_at: nullable(),
    muted: Type.Object({
      count: Type.Integer({ description: 'Alerts it has muted so far' }),
      alerts: Type.Array(Type.String(), { description: 'The ids of the latest hundred' }),
    }),
  },
  {
    $id: 'MaintenanceWindow',
    examples: [
      {
        id: 'w1',
        state: 'active',
        title: 'New switches',
        message: null,
        start: '2026-01-05T12:00:00.000Z',
        end: '2026-01-05T14:00:00.000Z',
        affected_systems: ['shop'],
        sources: [],
        alert_types: [],
        target_groups: [],
        by: 'anna',
        announced_at: '2026-01-05T09:00:00.000Z',
        cancelled_at: null,
        muted: { count: 1, alerts: ['019b8e42-7d21-7000-9c1f-3a5d0e8b9f10'] },
      },
    ],
  },
)

/** `/v1/maintenance`: the windows that were announced on `notifications/system/maintenance` (checklist R35). */
export function maintenance(app: App, engine: Engine): void {
  app.addSchema(MaintenanceWindow)
  app.get(
    '/maintenance',
    {
      schema: {
        summary: 'Maintenance windows, and what each has muted',
        tags: ['silences'],
        response: {
          200: Type.Object(
            { items: Type.Array(Type.Ref('MaintenanceWindow#')) },
            { description: 'In the order in which they were announced' },
          ),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { tenant } = reader(caller(request))
      const windows = engine.registry.list(MAINTENANCE, tenant, '')
      const items = windows.map(async ({ key, doc }) => ({
        ...renderWindow(key, doc, engine.clock.now()),
        muted: mutedOf(await engine.store.referring(tenant, `maintenance:${key}`, MOST_IDS)),
      }))
      return { items: await Promise.all(items) }
    },
  )
}

const mutedOf = ({ count, alertIds }: { readonly count: number; readonly alertIds: readonly string[] }) => ({
  count,
  alerts: alertIds,
})

function renderWindow(id: string, window: Maintenance, now: number) {
  const { title = null, message = null, start, end, systems, sources, types, groups, by } = window
  return {
    id,
    state: stateOf(window, now),
    title,
    message,
    start: rfc3339(start),
    end: rfc3339(end),
    affected_systems: systems,
    sources,
    alert_types: types,
    target_groups: groups,
    by,
    announced_at: rfc3339(window.announcedAt),
    cancelled_at: rfc3339(window.cancelledAt),
  }
}

function stateOf(window: Maintenance, now: number): (typeof STATES)[number] {
  if (window.cancelledAt !== null) return 'cancelled'
  const phase = phaseOf(window, now, 0)
  return phase === 'over' ? 'over' : phase === 'begun' ? 'active' : 'scheduled'
}
