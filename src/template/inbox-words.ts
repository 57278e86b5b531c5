import type { RenderInput, Wording } from '../delivery/channel.ts'
import { contentOf } from '../delivery/message/content.ts'
import { newDelivery } from '../delivery/plan.ts'
import type { Person } from '../directory/directory.ts'
import type { NewNotification } from '../store/store.ts'
import type { Templates } from './choose-part.ts'

/** Title and message in the person's own language; what is absent stays as it was published. */
export interface InboxWords {
  readonly title?: string
  readonly message?: string
}

/**
 * Makes what finds the words for an entry of an inbox (checklist C22): those of the part `app`, because what is kept
 * is what the publisher wrote unless a template says otherwise for this very place. Null where there are none; like
 * `wordingOf`, it never throws.
 */
export function createInboxWords(deps: {
  readonly templates: () => Templates
  readonly wordingOf: (input: RenderInput) => Wording | null
  readonly publicUrl: () => string
}): (notification: NewNotification, person: Person) => InboxWords | null {
  return (notification, person) => {
    // Asked for every entry there is, and most installations have no templates.
    if (Object.keys(deps.templates()).length === 0) return null
    const input = inputOf(notification, person, deps.publicUrl())
    const wording = deps.wordingOf(input)
    if (wording === null || wording.failure) return null
    const { title, text } = contentOf({ ...input, wording })
    return {
      ...(wording.title !== undefined && { title }),
      ...(wording.text !== undefined && { message: text }),
    }
  }
}

function inputOf(notification: NewNotification, person: Person, publicUrl: string): RenderInput {
  const { id, tenant, origin, createdAt } = notification
  const { delivery } = newDelivery({
    tenant,
    subjectKind: 'notification',
    subjectId: id,
    ordinal: 0,
    purpose: 'message',
    userId: person.id,
    channel: 'realtime',
    address: null,
    critical: false,
    origin,
    now: createdAt,
  })
  const subject = { kind: 'notification', notification: { ...notification, seq: 0, readAt: null } } as const
  return { delivery, subject, recipient: person, fixed: null, publicUrl }
}
