import type { Contacts } from '../../contact/contacts.ts'
import type { Core } from '../../core.ts'
import type { OptOuts } from './opt-outs.ts'
import { answerKey, type PressedKey } from './pressed-key.ts'
import { reportDelivery, type DeliveryReport } from './delivery-report.ts'
import type { Seen } from './seen.ts'
import { createTextReplies, type InboundText } from './text-replies.ts'

/** What comes back from providers. The caller has made sure that it does come from them. */
export interface Callbacks {
  /** A text message from a phone. Resolves with the answer; null for none. */
  text(message: InboundText): Promise<string | null>
  /** A key pressed during a call. Resolves with what is said. */
  key(pressed: PressedKey): Promise<string>
  /** What became of a message or call. */
  report(report: DeliveryReport): Promise<void>
}

export interface CallbacksDeps {
  readonly optOuts: OptOuts
  readonly contacts: Pick<Contacts, 'peopleAt'>
  readonly seen: Seen
}

export function createCallbacks(core: Core, deps: CallbacksDeps): Callbacks {
  return {
    text: createTextReplies(core, deps),
    key: (pressed) => answerKey(core, deps.seen, pressed),
    report: (report) => reportDelivery(core, report, 0),
  }
}
