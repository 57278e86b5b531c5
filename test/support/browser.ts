import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import type { WebPushSubscription } from '../../src/devices/device.ts'
import type { IncomingHttpHeaders } from 'node:http'

/** The browser's end of web push: a subscription, and what only this browser can read. */
export interface Browser {
  readonly subscription: WebPushSubscription
  /** Decrypts a message by RFC 8291 and RFC 8188 (`aes128gcm`, one record); throws when it is not for this browser. */
  read(body: Uint8Array): Readonly<Record<string, unknown>>
}

export function browser(endpoint: string): Browser {
  const own = createECDH('prime256v1')
  own.generateKeys()
  const auth = randomBytes(16)
  const publicKey = own.getPublicKey()
  return {
    subscription: {
      endpoint,
      keys: { p256dh: publicKey.toString('base64url'), auth: auth.toString('base64url') },
    },
    read(bytes) {
      const body = Buffer.from(bytes)
      const salt = body.subarray(0, 16)
      const recordSize = body.readUInt32BE(16)
      const keyLength = body.readUInt8(20)
      const sender = body.subarray(21, 21 + keyLength)
      const record = body.subarray(21 + keyLength)
      if (record.length > recordSize) throw new Error('more than one record')
      const info = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, sender])
      const secret = Buffer.from(hkdfSync('sha256', own.computeSecret(sender), auth, info, 32))
      const part = (label: string, length: number) =>
        Buffer.from(hkdfSync('sha256', secret, salt, `Content-Encoding: ${label}\0`, length))
      const cipher = createDecipheriv('aes-128-gcm', part('aes128gcm', 16), part('nonce', 12))
      cipher.setAuthTag(record.subarray(-16))
      const padded = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()])
      const end = padded.lastIndexOf(2)
      if (end === -1 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('no delimiter')
      return JSON.parse(padded.subarray(0, end).toString('utf8')) as Record<string, unknown>
    },
  }
}

/** The claims of the VAPID token of a request (RFC 8292), whose signature by the key it names was checked. */
export function vapidClaims(headers: IncomingHttpHeaders): {
  readonly publicKey: string
  readonly claims: Readonly<Record<string, unknown>>
} {
  const [, token = '', publicKey = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? []
  const point = Buffer.from(publicKey, 'base64url')
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  })
  const [header = '', payload = '', signature = ''] = token.split('.')
  const signed = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  if (!signed) throw new Error('the signature of the VAPID token does not hold')
  return {
    publicKey,
    claims: JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>,
  }
}
