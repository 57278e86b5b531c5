import { targetKey } from '../../devices/device.ts'
import { pushTargetOf } from '../../devices/registration.ts'
import { parseAllowEntry } from '../../delivery/outgoing/address-guard.ts'
import { parseServiceAccount } from '../../delivery/push/service-account.ts'
import { publicKeyOf } from '../../delivery/push/vapid.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** A channel that sends needs to know in whose name. The file's content is no part of the message. */
export function checkFirebase({ channels: { push } }: Config): Finding[] {
  if (push.mode === 'captured') return []
  const path = ['channels', 'push', 'service_account']
  if (push.service_account === undefined) {
    const message = `is missing; mode ${push.mode} needs it, or service_account_file`
    return [{ path, message }]
  }
  const parsed = parseServiceAccount(push.service_account)
  return typeof parsed === 'string' ? [{ path, message: `the service account ${parsed}` }] : []
}

/** Keys are given as a pair or not at all. */
export function checkVapid({ channels: { web_push: webPush } }: Config): Finding[] {
  const { mode, subject, vapid_public_key: publicKey, vapid_private_key: privateKey } = webPush
  if (mode === 'captured') return []
  const at = (key: string) => ['channels', 'web_push', key]
  const findings: Finding[] = []
  if (
    subject !== undefined &&
    !/^(mailto:[^\s@]+@[^\s@]+|https:\/\/(?!localhost\b)[^\s/]+.*)$/.test(subject)
  ) {
    findings.push({ path: at('subject'), message: 'expected mailto:ops@example.org, or an https:// URL' })
  }
  if ((publicKey === undefined) !== (privateKey === undefined)) {
    const [absent, given] =
      publicKey === undefined
        ? ['vapid_public_key', 'vapid_private_key']
        : ['vapid_private_key', 'vapid_public_key']
    findings.push({ path: at(absent), message: `is missing; ${given} is of no use without it` })
  } else if (privateKey !== undefined && publicKey !== publicKeyOf(Buffer.from(privateKey, 'base64url'))) {
    findings.push({ path: at('vapid_public_key'), message: 'is not the public key of vapid_private_key' })
  }
  return findings
}

export function checkWebPushAllowance({ channels: { web_push: webPush } }: Config): Finding[] {
  return webPush.allow.flatMap((entry, index) =>
    parseAllowEntry(entry)
      ? []
      : [
          {
            path: ['channels', 'web_push', 'allow', index],
            message: `"${entry}" is no host, address or network such as 10.0.0.0/8`,
          },
        ],
  )
}

/** The same rules as for devices that are registered; and a device has one owner. */
export function checkDevices({ users, channels }: Config): Finding[] {
  const owners = new Map<string, string>()
  return Object.entries(users).flatMap(([id, { devices }]) =>
    devices.flatMap((device, index) => {
      const path = ['users', id, 'devices', index]
      const target = pushTargetOf(device, channels.web_push.allow)
      if ('wrong' in target) return [{ path: [...path, ...target.field.split('.')], message: target.wrong }]
      const owner = owners.get(targetKey(target))
      owners.set(targetKey(target), id)
      return owner === undefined ? [] : [{ path, message: `is a device of ${owner} too` }]
    }),
  )
}
