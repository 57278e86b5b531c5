import { clockTime } from '../../delivery/message/clock-time.ts'
import type { FixedContent } from '../../delivery/delivery.ts'
import type { Alert } from '../alert.ts'
import { CARILLON } from '../escalation/start.ts'
import type { OutcomeKind } from './outcome-of.ts'

type Says = (by: string, at: string) => string

const WORDS = {
  en: {
    titles: { acknowledged: 'ACKNOWLEDGED', unacknowledged: 'OPEN AGAIN', resolved: 'RESOLVED' },
    texts: {
      acknowledged: (by, at) => `${by} took it on at ${at}.`,
      unacknowledged: (by, at) => `Nobody has it any more since ${at} (${by}); it pages again.`,
      resolved: (by, at) => `${by} resolved it at ${at}.`,
    },
    late: (at: string) => `It was not resolved in time; since ${at} it pages again.`,
  },
  de: {
    titles: { acknowledged: 'BESTÄTIGT', unacknowledged: 'WIEDER OFFEN', resolved: 'ERLEDIGT' },
    texts: {
      acknowledged: (by, at) => `${by} hat den Alarm um ${at} übernommen.`,
      unacknowledged: (by, at) => `Seit ${at} kümmert sich niemand mehr (${by}); es wird wieder alarmiert.`,
      resolved: (by, at) => `${by} hat den Alarm um ${at} erledigt.`,
    },
    late: (at: string) => `Der Alarm wurde nicht rechtzeitig erledigt; seit ${at} wird wieder alarmiert.`,
  },
} as const satisfies Record<string, OutcomeLanguage>

interface OutcomeLanguage {
  readonly titles: Readonly<Record<OutcomeKind, string>>
  readonly texts: Readonly<Record<OutcomeKind, Says>>
  readonly late: (at: string) => string
}

/** Who caused it, when, and who reads of it. */
export interface OutcomeParts {
  /** As people know them; `carillon` for what time did. */
  readonly by: string
  readonly at: number
  readonly locale: string
  readonly timezone: string
}

/** How an outcome is told, in German or English: what, by whom and when, then what the alert was about. Pure. */
export function outcomeWords(outcome: OutcomeKind, alert: Alert, parts: OutcomeParts): FixedContent {
  const { titles, texts, late } = /^de\b/i.test(parts.locale) ? WORDS.de : WORDS.en
  const at = clockTime(parts.at, parts.timezone)
  const said = outcome === 'unacknowledged' && parts.by === CARILLON ? late(at) : texts[outcome](parts.by, at)
  return { subject: `${titles[outcome]}: ${alert.type}`, text: `${said}\n${alert.message}`, outcome }
}
