import { expect } from 'chai'
import { parsePushToken, parsePushTopic } from '../../src/devices/device.ts'
import { pushTargetOf } from '../../src/devices/registration.ts'
import { browser } from '../support/browser.ts'

const { keys } = browser('https://x').subscription

describe('the registration of a device', () => {
  const refused = (endpoint: string, allow: readonly string[] = []) => {
    const target = pushTargetOf({ platform: 'web', subscription: { endpoint, keys } }, allow)
    return 'wrong' in target ? target.wrong : null
  }

  for (const endpoint of [
    'https://fcm.googleapis.com/fcm/send/abc:def',
    'https://updates.push.services.mozilla.com/wpush/v2/abc',
    'https://db5.notify.windows.com/w/?token=abc',
    'https://web.push.apple.com/abc',
  ]) {
    it(`takes the push service ${new URL(endpoint).host} (security row 23)`, () => {
      expect(refused(endpoint)).to.equal(null)
    })
  }

  for (const endpoint of [
    'http://127.0.0.1:6379',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://example.org/push',
    'https://fcm.googleapis.com.example.org/',
    'https://evil-fcm.googleapis.com/',
    'https://notify.windows.com.example.org/',
    'https://push.apple.com@example.org/',
    'http://fcm.googleapis.com/fcm/send/abc',
    'https://fcm.googleapis.com:6379/',
    'ftp://fcm.googleapis.com/',
    'javascript:alert(1)',
    'nonsense',
    '',
    `https://fcm.googleapis.com/${'x'.repeat(3000)}`,
  ]) {
    it(`refuses the endpoint ${endpoint.slice(0, 60)} (security row 23, N10)`, () => {
      expect(refused(endpoint)).to.be.a('string')
    })
  }

  it('takes what the operator allows', () => {
    expect(refused('http://127.0.0.1:6379/x', ['127.0.0.0/8'])).to.equal(null)
    expect(refused('https://push.example.org/x', ['push.example.org'])).to.equal(null)
    expect(refused('https://other.example.org/x', ['push.example.org', '10.0.0.0/8'])).to.be.a('string')
  })

  it('refuses keys that no browser made, before anything is sent', () => {
    const subscription = { endpoint: 'https://web.push.apple.com/abc', keys }
    const point = Buffer.from(keys.p256dh, 'base64url')
    const wrong = [
      { p256dh: '', auth: keys.auth },
      { p256dh: keys.p256dh, auth: 'c2hvcnQ' },
      { p256dh: Buffer.alloc(65, 4).toString('base64url'), auth: keys.auth },
      { p256dh: point.subarray(0, 64).toString('base64url'), auth: keys.auth },
    ]
    for (const bad of wrong) {
      const target = pushTargetOf({ platform: 'web', subscription: { ...subscription, keys: bad } }, [])
      expect(target).to.have.property('field', 'subscription.keys')
    }
  })

  it('names one target, and a subscription only for the platform web', () => {
    const subscription = { endpoint: 'https://web.push.apple.com/abc', keys }
    expect(pushTargetOf({ platform: 'web', token: 't', subscription }, [])).to.have.property('wrong')
    expect(pushTargetOf({ platform: 'ios', subscription }, [])).to.have.property('wrong')
    expect(pushTargetOf({ platform: 'ios' }, [])).to.include({ field: 'token' })
    expect(pushTargetOf({ platform: 'web', token: 't' }, [])).to.deep.equal({ channel: 'push', token: 't' })
  })
})

describe('an address of FCM', () => {
  it('is a token without blanks, which never reads as a registered device or a topic (R37)', () => {
    expect(parsePushToken('fGh3k:APA91b-x_y')).to.equal('fGh3k:APA91b-x_y')
    for (const token of ['', 'a b', 'a\nb', 'ä', 'x'.repeat(4097), 'device:5f3c', 'topic:news'])
      expect(parsePushToken(token), token.slice(0, 20)).to.equal(null)
  })

  it("is a topic by FCM's rule, with or without its prefix (R37)", () => {
    expect(parsePushTopic('news_de-1.0~%')).to.equal('news_de-1.0~%')
    expect(parsePushTopic('/topics/news')).to.equal('news')
    for (const topic of ['', '/topics/', 'a/b', 'a b', 'x'.repeat(901)])
      expect(parsePushTopic(topic)).to.equal(null)
  })
})
