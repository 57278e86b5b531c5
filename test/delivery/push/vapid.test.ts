import { expect } from 'chai'
import { createECDH } from 'node:crypto'
import { vapidOf } from '../../../src/delivery/push/vapid.ts'

describe('the keys of web push', () => {
  const none = { mode: 'live' as const, allow: [] }

  it('are made from the secret of the store and stay the same, so that web push works unconfigured (N10)', () => {
    const secret = Buffer.alloc(32, 7)
    const { publicKey, privateKey } = vapidOf(none, secret, undefined)
    expect(vapidOf(none, secret, undefined)).to.include({ publicKey, privateKey })
    expect(vapidOf(none, Buffer.alloc(32, 8), undefined).publicKey).to.not.equal(publicKey)
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(privateKey, 'base64url')
    expect(curve.getPublicKey('base64url')).to.equal(publicKey)
  })

  it('are those of the configuration where it names any', () => {
    const given = { ...none, subject: 'mailto:a@b.example', vapid_public_key: 'P', vapid_private_key: 'S' }
    expect(vapidOf(given, Buffer.alloc(32), 'https://bell.example.org')).to.deep.equal({
      subject: 'mailto:a@b.example',
      publicKey: 'P',
      privateKey: 'S',
    })
  })

  it('come with an address that push services accept (RFC 8292 section 2.1)', () => {
    const secret = Buffer.alloc(32)
    expect(vapidOf(none, secret, 'https://bell.example.org').subject).to.equal('https://bell.example.org')
    for (const local of ['http://localhost:8080', 'https://localhost:8443', undefined])
      expect(vapidOf(none, secret, local).subject).to.match(/^mailto:/)
  })
})
