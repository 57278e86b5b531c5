import type { OperatorAlarm } from '../../alert/operator-alarm.ts'
import type { Clock } from '../../clock.ts'
import { parsePushAddress } from '../../devices/device.ts'
import type { Channel, SendResult } from '../channel.ts'
import type { Answer, Outgoing } from '../outgoing/outgoing.ts'
import { retryAfterMs } from '../outgoing/retry-after.ts'
import { permanent, unasked } from '../providers/http-call.ts'
import { UNREGISTERED } from '../push/fcm.ts'
import { endpointFault, pushAllowance, serviceOf } from '../push/push-services.ts'
import type { Vapid } from '../push/vapid.ts'
import { webPushRequest, type WebPushRequest } from '../push/web-push-request.ts'
import { classify, DEFERRED, SEND_TIMEOUT_MS } from '../attempt/retry.ts'
import { notConfigured } from './not-configured.ts'
import { addressesOn, renderPush, type KnownDevices } from './push.ts'

export interface WebPushSettings {
  /** Null sends nothing. */
  readonly vapid: Vapid | null
  readonly allow: readonly string[]
  readonly devices: KnownDevices
  readonly outgoing: Outgoing
  readonly clock: Pick<Clock, 'now'>
  /** Hears of a push service that refuses who we say we are, and of its next success (promise P7). */
  readonly alarm: OperatorAlarm
}

/**
 * Notifications in browsers over the Push API (RFC 8030): to the endpoints of known push services only (security row
 * 23), encrypted for the browser. 404 and 410 end the subscription (promise P7, behaviour N10). The trouble of one
 * push service, or with one subscription, pauses no other.
 */
export function webPushChannel(settings: WebPushSettings): Channel {
  const { vapid, devices, outgoing, clock, alarm } = settings
  const allowance = pushAllowance(settings.allow)
  return {
    name: 'web_push',
    addresses: ({ id }) => addressesOn('web_push', id, devices),
    render: renderPush,
    async send(message, signal) {
      if (vapid === null) return notConfigured('web_push')
      const parsed = parsePushAddress(message.address)
      const target = 'device' in parsed ? devices.find(parsed.device)?.target : undefined
      if (target?.channel !== 'web_push')
        return unasked('no_device', 'The browser is not subscribed any more')
      const { subscription } = target
      const fault = endpointFault(subscription.endpoint, allowance)
      if (fault !== null) return unasked('address_refused', fault)
      let request: WebPushRequest
      try {
        request = webPushRequest(subscription, message, vapid, clock.now())
      } catch {
        return unasked('invalid_subscription', 'The keys of the subscription are none')
      }
      const { endpoint } = subscription
      const answer = await outgoing.post({ url: endpoint, ...request, signal, waitMs: SEND_TIMEOUT_MS })
      const result = resultOf(answer, clock.now())
      heedRefusal(alarm, endpoint, result)
      if (!result.ok && result.code === UNREGISTERED) devices.gone(message.address)
      return result
    },
    close: () => Promise.resolve(),
  }
}

/** 401 and 403 speak of our VAPID key (RFC 8292), which one person's browser cannot mend; the message waits. */
function heedRefusal(alarm: OperatorAlarm, endpoint: string, { ok, status }: SendResult): void {
  const service = serviceOf(endpoint)
  const cause = `vapid_refused:${service}`
  if (ok) alarm.over(cause)
  else if (status === 401 || status === 403)
    alarm(cause, `The push service of ${service} refuses the VAPID key: see channels.web_push`)
}

function resultOf(answer: Answer, now: number): SendResult {
  if (answer.kind === 'refused') return unasked('address_refused', answer.because)
  if (answer.kind === 'failed') {
    const { kind, code } = classify({ error: answer.code, written: answer.written })
    const ambiguous = kind === 'ambiguous' && { ambiguous: true }
    return { ok: false, retry: true, code: DEFERRED, reason: `${code} (${answer.code})`, ...ambiguous }
  }
  const { status } = answer
  if (status >= 200 && status < 300) return { ok: true, status }
  if (status === 404 || status === 410)
    return { ...permanent(UNREGISTERED, 'The push service has ended the subscription'), status }
  const reason = `The push service answered ${status}`
  if (classify({ status }).kind === 'permanent') return { ...permanent(`http_${status}`, reason), status }
  const wish = retryAfterMs(answer.retryAfter, now)
  const wait = wish !== undefined && { retryAfterMs: wish }
  return { ok: false, retry: true, code: DEFERRED, reason, status, ...wait }
}
