import staticFiles from '@fastify/static'
import { fileURLToPath } from 'node:url'
import type { App } from './app.ts'

/** `web/` of the package, seen from the compiled file. */
const WEB_ROOT = fileURLToPath(new URL('../../../web/', import.meta.url))

/** The compiled client library, beside the compiled program. */
const CLIENT_ROOT = fileURLToPath(new URL('../../client/', import.meta.url))

/** `/client/carillon.js`: the client library for pages of any origin, as modules (contract section 10). */
export function clientLibrary(app: App): void {
  void app.register(staticFiles, {
    root: CLIENT_ROOT,
    prefix: '/client/',
    index: false,
    decorateReply: false,
    allowedPath: (path) => path.endsWith('.js'),
    setHeaders: (reply) => {
      reply.setHeader('access-control-allow-origin', '*')
      reply.setHeader('cross-origin-resource-policy', 'cross-origin')
    },
  })
}

/** The status page at `/`, at `/login`, where a one-time link leads to, and at `/alerts/{id}`, where mails lead to. */
export function pages(app: App, root: string = WEB_ROOT): void {
  void app.register(staticFiles, { root, prefix: '/web/', index: false })
  for (const path of ['/', '/login', '/alerts/:id']) {
    app.get(path, { schema: { hide: true } }, (_request, reply) => reply.sendFile('status.html'))
  }
}
