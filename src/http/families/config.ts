import Type from 'typebox'
import type { Principal } from '../../access/principal.ts'
import { fault } from '../../errors.ts'
import { FAILURES, shared, type App } from '../app.ts'
import { caller } from '../guard.ts'

/** Reads the configuration again at somebody's wish: what is in force after it, or every fault of the file, with the old one in force. */
export type ReloadConfig = (
  by: Principal,
) =>
  | { readonly ok: true; readonly changed: readonly string[]; readonly restart: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] }

const Reloaded = Type.Object(
  { changed: Type.Array(Type.String()), needs_restart: Type.Array(Type.String()) },
  { $id: 'Reloaded', examples: [{ changed: ['users.anna.phone'], needs_restart: [] }] },
)

/** `POST /v1/config/reload` (contract section 1): administrators only; a faulty file keeps the old configuration. */
export function configuration(app: App, reload: ReloadConfig): void {
  app.addSchema(Reloaded)
  app.post(
    '/config/reload',
    {
      schema: {
        summary: 'Read the configuration again',
        tags: ['operations'],
        response: { 200: shared('Reloaded', 'What is different now'), ...FAILURES },
      },
      config: { access: 'operator', errors: ['config.faulty'] },
    },
    async (request) => {
      if (!caller(request).roles.includes('admin')) throw fault('auth.forbidden')
      const outcome = reload(caller(request))
      if (!outcome.ok) {
        throw fault('config.faulty', 'The configuration is faulty; the old one stays', {
          faults: outcome.faults,
        })
      }
      return { changed: [...outcome.changed], needs_restart: [...outcome.restart] }
    },
  )
}
