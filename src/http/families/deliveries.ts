import Type from 'typebox'
import { isOperator, type Principal } from '../../access/principal.ts'
import { CHANNEL_NAMES, DELIVERY_STATES, type Delivery } from '../../delivery/delivery.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import type { DeliveryRecord } from '../../store/store.ts'
import { renderBatch } from '../../wire/batch.ts'
import { renderDelivery, renderDeliveryRecord } from '../../wire/delivery.ts'
import { FAILURES, IdParams, listOf, pageQuery, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

/**
 * `/v1/deliveries` (contract section 7): a person sees their own, operators and services all of their tenant, and
 * whoever published a direct message or a batch (R24, R25, R36) sees its deliveries, its progress, and may cancel.
 */
export function deliveries(app: App, engine: Engine): void {
  const { store } = engine
  batches(app, engine)

  app.get(
    '/deliveries',
    {
      config: { errors: ['request.not_found'] },
      schema: {
        summary: 'Deliveries, newest first',
        tags: ['deliveries'],
        querystring: Type.Object({
          ...pageQuery,
          user: Type.Optional(Type.String({ maxLength: 200 })),
          channel: Type.Optional(Type.Enum([...CHANNEL_NAMES])),
          state: Type.Optional(Type.Enum([...DELIVERY_STATES])),
          alert_id: Type.Optional(Type.String({ maxLength: 200 })),
          notification_id: Type.Optional(Type.String({ maxLength: 200 })),
          summary_id: Type.Optional(Type.String({ maxLength: 200 })),
          batch_id: Type.Optional(Type.String({ maxLength: 200 })),
          message_id: Type.Optional(
            Type.String({ maxLength: 200, description: '`email_id` or `sms_id` of a direct message' }),
          ),
        }),
        response: { 200: listOf('Delivery', 'One page'), ...FAILURES },
      },
    },
    async (request) => {
      const {
        limit,
        cursor,
        channel,
        state,
        alert_id: alertId,
        notification_id: notificationId,
        summary_id: summaryId,
        batch_id: batchId,
        message_id: messageId,
      } = request.query
      const by = caller(request)
      const { tenant } = by
      const published = batchId ?? messageId
      const own = published !== undefined && (await isPublisher(engine, by, published))
      const userId = own ? request.query.user : visibleUser(by, request.query.user)
      // Nothing belongs to an alert and a notification at once.
      const [subjectId, ...others] = new Set(
        [alertId, notificationId, batchId, messageId].filter((id) => id !== undefined),
      )
      if (others.length > 0) return { items: [] }
      const page = await store.deliveries({
        tenant,
        limit,
        ...(cursor !== undefined && { cursor }),
        ...(userId !== undefined && { userId }),
        ...(channel !== undefined && { channel }),
        ...(state !== undefined && { state }),
        ...(subjectId !== undefined && { subjectId }),
        ...(summaryId !== undefined && { digestId: summaryId.replace(/\.0$/, '') }),
      })
      return {
        items: page.items.map(renderDelivery),
        ...(page.nextCursor !== null && { next_cursor: page.nextCursor }),
      }
    },
  )

  app.get(
    '/deliveries/:id',
    {
      schema: {
        summary: 'A delivery with every attempt at it',
        tags: ['deliveries'],
        params: IdParams,
        response: { 200: shared('DeliveryRecord', 'As it is now'), ...FAILURES },
      },
    },
    async (request) => renderDeliveryRecord(await visible(engine, caller(request), request.params.id)),
  )

  app.post(
    '/deliveries/:id/cancel',
    {
      config: { errors: ['delivery.not_pending'] },
      schema: {
        summary: 'Cancel a delivery that waits for its time or its next attempt',
        tags: ['deliveries'],
        params: IdParams,
        response: { 200: shared('Delivery', 'As it is now; cancelled before is well, too'), ...FAILURES },
      },
    },
    async (request) => renderDelivery(await engine.cancelDelivery(caller(request), request.params.id)),
  )

  app.post(
    '/deliveries/:id/resend',
    {
      schema: {
        summary: 'Send an ended delivery again, as a new one',
        tags: ['deliveries'],
        params: IdParams,
        response: {
          202: Type.Object({ id: Type.String() }, { description: 'Id of the new delivery' }),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      const by = caller(request)
      const { id } = request.params
      await visible(engine, by, id)
      if (!isOperator(by)) throw fault('auth.forbidden')
      return reply.code(202).send({ id: await engine.resendDelivery(by, id) })
    },
  )
}

function batches(app: App, engine: Engine): void {
  app.get(
    '/batches/:id',
    {
      schema: {
        summary: 'How far the e-mails of a batch are',
        tags: ['deliveries'],
        params: IdParams,
        response: { 200: shared('Batch', 'Its progress'), ...FAILURES },
      },
    },
    async (request) => {
      const by = caller(request)
      const batch = await engine.store.batch(by.tenant, request.params.id)
      if (!batch || !(isOperator(by) || batch.origin.principal === by.id))
        throw fault('request.not_found', 'There is no such batch')
      return renderBatch(batch)
    },
  )
}

/** Whether the caller published this direct message or batch. */
async function isPublisher({ store }: Engine, by: Principal, subjectId: string): Promise<boolean> {
  const { items } = await store.deliveries({ tenant: by.tenant, subjectId, limit: 1 })
  const [first] = items
  return (
    (first?.subjectKind === 'direct' || first?.subjectKind === 'batch') && first.origin.principal === by.id
  )
}

/** Whose deliveries are asked for; undefined is everybody's. Those of others do not exist for a person. */
function visibleUser(principal: Principal, asked: string | undefined): string | undefined {
  if (seesAll(principal)) return asked
  if (principal.kind !== 'user') throw fault('auth.forbidden')
  if (asked !== undefined && asked !== principal.id) throw fault('request.not_found')
  return principal.id
}

function seesAll(principal: Principal): boolean {
  return isOperator(principal) || principal.roles.includes('service')
}

/** The delivery as far as the caller may see it. Fault `request.not_found` for everything else. */
async function visible({ store }: Engine, by: Principal, id: string): Promise<DeliveryRecord> {
  const record = await store.delivery(by.tenant, id)
  if (record === null || !maySee(by, record.delivery)) throw fault('request.not_found')
  return record
}

function maySee(by: Principal, { userId, subjectKind, origin }: Delivery): boolean {
  const published = (subjectKind === 'direct' || subjectKind === 'batch') && origin.principal === by.id
  return seesAll(by) || published || (by.kind === 'user' && userId === by.id)
}
