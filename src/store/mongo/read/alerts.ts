import type { mongo } from 'mongoose'
import type { TimelineEntry } from '../../../alert/alert.ts'
import { decodeCursor, pageOf } from '../../cursor.ts'
import type { Store } from '../../store.ts'
import type { AlertDocument } from '../collections.ts'
import type { MongoContext } from '../context.ts'
import { openKeyOf, readAlert } from '../document/alert.ts'
import { keyOf } from '../document/key.ts'

type AlertReads = Pick<Store, 'alert' | 'openAlert' | 'alerts' | 'timeline' | 'referring' | 'openAlerts'>

/** The reads about alerts. */
export function alertReads({ collections: { alerts, timeline }, pipeline }: MongoContext): AlertReads {
  const optional = (row: AlertDocument | null) => row && readAlert(row)
  return {
    alert: (tenant, id) =>
      pipeline.read(async () => optional(await alerts.findOne({ _id: keyOf(tenant, id) }))),
    openAlert: (tenant, dedupKey) =>
      pipeline.read(async () => optional(await alerts.findOne({ openKey: openKeyOf(tenant, dedupKey) }))),
    alerts({ tenant, status, severity, team, limit, cursor }) {
      return pipeline.read(async () => {
        const after = decodeCursor(cursor, [0, ''])
        const filter: mongo.Filter<AlertDocument> = {
          tenant,
          ...(status !== undefined && { status }),
          ...(severity !== undefined && { severity }),
          ...(team !== undefined && { team }),
          ...(after && beyond('$lt', { order: after[0], _id: after[1] })),
        }
        const rows = await alerts
          .find(filter)
          .sort({ order: -1, _id: -1 })
          .limit(limit + 1)
          .toArray()
        return pageOf(rows, limit, { item: readAlert, position: ({ order, _id }) => [order, _id] })
      })
    },
    timeline: (tenant, alertId) =>
      pipeline.read(async () => {
        const rows = await timeline.find({ tenant, alertId }).sort({ version: 1, place: 1 }).toArray()
        return rows.map(({ entry }) => JSON.parse(entry) as TimelineEntry)
      }),
    referring: (tenant, ref, limit) =>
      pipeline.read(async () => {
        const found = await timeline
          .aggregate<{ _id: string }>([
            { $match: { tenant, ref } },
            { $group: { _id: '$alertId', order: { $max: '$order' } } },
            { $sort: { order: -1 } },
          ])
          .toArray()
        return { count: found.length, alertIds: found.slice(0, limit).map(({ _id }) => _id) }
      }),
    openAlerts: (limit, cursor) =>
      pipeline.read(async () => {
        const after = decodeCursor(cursor, [0, 0, ''])
        const filter = {
          open: true,
          ...(after && beyond('$gt', { createdAt: after[0], order: after[1], _id: after[2] })),
        }
        const rows = await alerts
          .find(filter as mongo.Filter<AlertDocument>)
          .sort({ createdAt: 1, order: 1, _id: 1 })
          .limit(limit + 1)
          .toArray()
        const position = ({ createdAt, order, _id }: AlertDocument) => [createdAt, order, _id]
        return pageOf(rows, limit, { item: readAlert, position })
      }),
  }
}

/**
 * What comes after a place in the order of several fields. The first field bounds the look into the index, the rest
 * decides ties.
 */
export function beyond(direction: '$lt' | '$gt', place: Readonly<Record<string, unknown>>) {
  const fields = Object.entries(place)
  const [first] = fields
  if (!first) return {}
  const ties = fields.map(([name, value], index) => ({
    ...Object.fromEntries(fields.slice(0, index)),
    [name]: { [direction]: value },
  }))
  return { [first[0]]: { [`${direction}e`]: first[1] }, $or: ties }
}
