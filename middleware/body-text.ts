import type { Middleware } from '#engine'

/** `message`, `body` and `content` are one field (contract section 4): the first that is there becomes `message`. */
export function bodyText(): Middleware {
  return (context, next) => {
    const body = context.body
    if (typeof body === 'object' && body !== null && !('message' in body)) {
      const { body: text, content, ...rest } = body as Readonly<Record<string, unknown>>
      const message = text ?? content
      if (message !== undefined) context.body = { ...rest, message }
    }
    return next()
  }
}
