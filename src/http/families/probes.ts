import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { isLoopback } from '../../access/address-key.ts'
import type { Authenticator } from '../../access/authenticate.ts'
import { isOperator } from '../../access/principal.ts'
import type { Engine } from '../../engine.ts'
import { fault } from '../../errors.ts'
import { FAILURES, type App } from '../app.ts'
import { namesLoopback } from '../origin.ts'

/** `/healthz`, `/readyz` and `/metrics` (contract section 1). */
export function probes(app: App, engine: Engine, authenticator: Authenticator): void {
  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Whether the process lives',
        tags: ['operation'],
        response: { 200: Type.Object({ status: Type.Literal('ok') }, { description: 'It does' }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Whether publishes are accepted and stored',
        tags: ['operation'],
        response: {
          200: Type.Object({ status: Type.Literal('ready') }, { description: 'They are' }),
          503: Type.Object(
            { status: Type.Literal('unavailable'), reason: Type.String() },
            { description: 'They are not, and why' },
          ),
        },
      },
    },
    async (_request, reply) => {
      const reason = await engine.readiness()
      if (reason === null) return { status: 'ready' as const }
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ status: 'unavailable' as const, reason })
    },
  )

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics for Prometheus',
        description: 'Open to this machine itself; from elsewhere it takes the role ops or admin.',
        tags: ['operation'],
        produces: ['text/plain'],
        response: { 200: Type.String({ description: 'Prometheus text format' }), ...FAILURES },
      },
    },
    async (request, reply) => {
      if (!isLocal(request)) {
        const identity = await authenticator.http({ headers: request.headers })
        if (identity === null) throw fault('auth.missing')
        if (!isOperator(identity.principal)) throw fault('auth.forbidden')
      }
      const { registry } = engine.metrics
      const text = await registry.metrics()
      return reply.type(registry.contentType).serializer(String).send(text)
    },
  )
}

/** A proxy on this machine speaks for others, and so does a foreign name that points here (security row 36). */
function isLocal({ ip, socket, headers }: FastifyRequest): boolean {
  const forwarded = headers['x-forwarded-for'] ?? headers['forwarded'] ?? headers['x-real-ip']
  return (
    isLoopback(ip) &&
    isLoopback(socket.remoteAddress ?? ip) &&
    forwarded === undefined &&
    namesLoopback(headers)
  )
}
