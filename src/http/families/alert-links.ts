import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { LINK_VERBS } from '../../alert/link/links.ts'
import type { Engine } from '../../engine.ts'
import { FAILURES, type App } from '../app.ts'
import { answerPage, deadPage, isGerman, viewPage } from '../link-page.ts'

const FORM = 'application/x-www-form-urlencoded'
/** One field. */
const BODY_BYTES = 1024

const Params = Type.Object({ token: Type.String({ maxLength: 500 }) })
const Form = Type.Object({ action: Type.Enum([...LINK_VERBS]) }, { examples: [{ action: 'ack' }] })

const CONFIG = { access: 'open' } as const
const page = (description: string) => ({
  description,
  content: { 'text/html': { schema: Type.String({ description: 'A page' }) } },
})
/** What nobody made a link of never gets as far as a page. */
const UNKNOWN = page('The link opens nothing')
const PAGES = {
  200: page('The alert, and a button for each thing that can be done'),
  404: { ...UNKNOWN, content: { ...UNKNOWN.content, 'application/json': { schema: Type.Ref('Error#') } } },
  410: page('The link has expired'),
  ...FAILURES,
}
const ANSWERS = { ...PAGES, 200: page('What it came to'), 409: page('It could not be done') }
const ABOUT = { tags: ['alerts'], params: Params }

/** No script, nothing from elsewhere, and no place for the link but the address bar (security row 24). */
const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}

/**
 * `/a/{token}`, where pages lead to (contract section 6): GET and HEAD show the alert and change nothing, whoever or
 * whatever follows the link; only a press of a button, which is a POST, acts. Every answer is a page for people.
 */
export function alertLinks(app: App, engine: Engine): void {
  app.addContentTypeParser(FORM, { parseAs: 'string' }, async (_request: unknown, body: string) =>
    Object.fromEntries(new URLSearchParams(body)),
  )
  const nameOf = (id: string) => engine.directory.user(id)?.name ?? id
  const say = (reply: FastifyReply, status: number, html: string) =>
    reply.code(status).headers(HEADERS).type('text/html; charset=utf-8').send(html)

  app.get(
    '/a/:token',
    {
      config: CONFIG,
      schema: { ...ABOUT, summary: 'The page of an alert, for whoever has its link', response: PAGES },
    },
    async (request, reply) => {
      const view = await engine.links.open(request.params.token)
      if (view.kind === 'open') return say(reply, 200, viewPage(view, nameOf))
      return say(reply, STATUS[view.kind], deadPage(view, isGerman(request.headers['accept-language'])))
    },
  )

  app.post(
    '/a/:token',
    {
      config: CONFIG,
      bodyLimit: BODY_BYTES,
      schema: {
        ...ABOUT,
        summary: 'Act on the alert of a link',
        consumes: [FORM],
        body: Form,
        response: ANSWERS,
      },
    },
    async (request, reply) => {
      const answer = await engine.links.act(request.params.token, request.body.action)
      if (answer.kind === 'acted') return say(reply, 200, answerPage(answer, nameOf))
      if (answer.kind === 'refused') return say(reply, 409, answerPage(answer, nameOf))
      return say(reply, STATUS[answer.kind], deadPage(answer, isGerman(request.headers['accept-language'])))
    },
  )
}

const STATUS = { expired: 410, unknown: 404 } as const
