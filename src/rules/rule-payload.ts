import { fault } from '../errors.ts'
import { PAYLOAD_LIMIT } from '../router/arrival.ts'
import { parsePayload } from '../router/parse-payload.ts'

const text = new TextDecoder()

/**
 * A payload as rules see it (contract section 8): JSON where it is JSON, null where it is empty, else its text. Throws
 * `publish.too_large` or `publish.too_deep` for what no rule should have to look at.
 */
export function rulePayload(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return null
  if (bytes.length > PAYLOAD_LIMIT) throw fault('publish.too_large')
  const parsed = parsePayload(bytes)
  if (parsed.ok) return parsed.value
  if (parsed.code === 'publish.too_deep') throw fault(parsed.code)
  return text.decode(bytes)
}
