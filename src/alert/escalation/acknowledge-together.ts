import type { Alert, PartialAcknowledgement } from '../alert.ts'
import { changed, entryOf, type Act, type Change } from '../change/changed.ts'
import { acksRequired } from './policy.ts'

/** That was the last acknowledgement that was needed. */
interface Enough {
  readonly kind: 'enough'
  readonly acks: readonly PartialAcknowledgement[]
}

/**
 * One acknowledgement of an alert that several people must acknowledge (behaviour E17): until there are enough it is
 * recorded, stops this person's own pages and nobody else's, and the escalation goes on. A step that fires later pages
 * the person again. A second one of the same person counts once; nothing changes when no step fired in between.
 */
export function acknowledgeTogether(alert: Alert, act: Act): Change | Enough {
  const { step, repeat } = alert
  const acks = alert.acks ?? []
  const own = acks.find(({ by }) => by === act.by)
  const others = acks.filter((ack) => ack !== own)
  const all = [...others, { by: act.by, via: act.via, at: act.now, step, repeat }]
  const required = acksRequired(alert)
  if (all.length >= required) return { kind: 'enough', acks: all }
  if (own?.step === step && own.repeat === repeat) return { kind: 'same', alert }
  const change = changed(alert, {
    alert: { ...alert, acks: all },
    timeline: [entryOf('partly_acknowledged', act, `${all.length} of ${required}`)],
  })
  return { ...change, cancelPages: 'acknowledged', cancelPagesOf: act.by }
}
