import staticFiles from '@fastify/static'
import { fileURLToPath } from 'node:url'
import type { App } from './app.ts'

/** `web/` of the package, seen from the compiled file. */
const WEB_ROOT = fileURLToPath(new URL('../../../web/', import.meta.url))

/** The status page at `/`, at `/login`, where a one-time link leads to, and at `/alerts/{id}`, where mails lead to. */
export function pages(app: App, root: string = WEB_ROOT): void {
  void app.register(staticFiles, { root, prefix: '/web/', index: false })
  for (const path of ['/', '/login', '/alerts/:id']) {
    app.get(path, { schema: { hide: true } }, (_request, reply) => reply.sendFile('status.html'))
  }
}
