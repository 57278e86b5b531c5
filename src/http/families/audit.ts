import Type from 'typebox'
import { createChainCheck, type Verdict } from '../../audit/verify.ts'
import type { Engine } from '../../engine.ts'
import { AuditEntrySchema, renderAuditEntry } from '../../wire/audit-entry.ts'
import { FAILURES, listOf, pageQuery, type App } from '../app.ts'
import { caller } from '../guard.ts'
import { InstantText, parseInstant } from '../instant-query.ts'

const PORTION = 1000

const head = Type.Object({ seq: Type.Integer(), hash: Type.String() })

/** `/v1/audit` (contract section 7, security row 30), for operators. */
export function audit(app: App, engine: Engine): void {
  app.addSchema(AuditEntrySchema)
  const config = { access: 'operator' } as const

  app.get(
    '/audit',
    {
      config,
      schema: {
        summary: 'Who did what, newest first',
        tags: ['operations'],
        querystring: Type.Object({
          ...pageQuery,
          actor: Type.Optional(Type.String({ maxLength: 200 })),
          action: Type.Optional(Type.String({ maxLength: 200, description: 'Such as alert.ack' })),
          since: Type.Optional(InstantText('RFC 3339')),
        }),
        response: { 200: listOf('AuditEntry', 'One page'), ...FAILURES },
      },
    },
    async (request) => {
      const { limit, cursor, actor, action } = request.query
      const since = parseInstant('since', request.query.since)
      const page = await engine.store.auditLog({
        tenant: caller(request).tenant,
        limit,
        ...(cursor !== undefined && { cursor }),
        ...(actor !== undefined && { actor }),
        ...(action !== undefined && { action }),
        ...(since !== null && { since }),
      })
      return {
        items: page.items.map(renderAuditEntry),
        ...(page.nextCursor !== null && { next_cursor: page.nextCursor }),
      }
    },
  )

  app.get(
    '/audit/verify',
    {
      config,
      schema: {
        summary: 'Whether the audit log is what was written',
        tags: ['operations'],
        response: {
          200: Type.Union(
            [
              Type.Object({ ok: Type.Literal(true), entries: Type.Integer(), head }),
              Type.Object({ ok: Type.Literal(false), at: Type.Integer(), because: Type.String() }),
            ],
            { description: 'The verdict; `at` is the first entry that does not fit' },
          ),
          ...FAILURES,
        },
      },
    },
    async () => verify(engine.store),
  )
}

async function verify(store: Engine['store']): Promise<Verdict> {
  const check = createChainCheck()
  // What is added meanwhile lies behind this end.
  const end = await store.auditHead()
  for (let after = 0; after < end.seq;) {
    const rows = await store.auditChain(after, Math.min(PORTION, end.seq - after))
    check.add(rows)
    const last = rows.at(-1)
    if (!last || last.seq <= after) break
    after = last.seq
  }
  return check.verdict(end)
}
