import type { RequestFacts } from './request-facts.ts'
import { link, text } from './shape.ts'

export const NTFY: RequestFacts = {
  title: 'a message of ntfy',
  pages: ['https://docs.ntfy.sh/publish/#publish-as-json', 'https://docs.ntfy.sh/publish/#limitations'],
  method: 'POST',
  path: /^\/$/,
  headers: { authorization: /^Bearer tk_[a-z0-9]{29}$/ },
  encoding: 'json',
  body: {
    kind: 'object',
    required: {
      topic: text(64, { form: /^[-_A-Za-z0-9]{1,64}$/ }),
      message: { kind: 'text', longest: 4096, longestBytes: 4096, shortest: 1 },
    },
    optional: {
      title: text(250),
      priority: { kind: 'whole', least: 1, most: 5 },
      tags: { kind: 'list', of: text(30), least: 0, most: 5 },
      click: link(2048),
    },
  },
}
