/** What the Bot API takes as the data of a button, in bytes. */
const LONGEST_DATA = 64

const VERBS = ['ack', 'escalate', 'resolve'] as const
type ButtonVerb = (typeof VERBS)[number]

const isVerb = (text: string): text is ButtonVerb => VERBS.some((verb) => verb === text)

/** What a button says when it is pressed, `{verb}:{alert id}`; null for what is no button or does not fit. */
export function callbackData(verb: string, alertId: string): string | null {
  const data = `${verb}:${alertId}`
  return isVerb(verb) && alertId !== '' && Buffer.byteLength(data) <= LONGEST_DATA ? data : null
}

/** Reads it back; null for anything else. */
export function parseCallbackData(
  data: string,
): { readonly verb: ButtonVerb; readonly alertId: string } | null {
  const colon = data.indexOf(':')
  const verb = data.slice(0, Math.max(0, colon))
  const alertId = data.slice(colon + 1)
  return isVerb(verb) && alertId !== '' ? { verb, alertId } : null
}
