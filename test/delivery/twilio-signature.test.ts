import { expect } from 'chai'
import { isSignedByTwilio, twilioSignature } from '../../src/delivery/providers/twilio-signature.ts'

const URL = 'https://mycompany.com/myapp.php?foo=1&bar=2'
const FIELDS = {
  To: '+18005551212',
  Digits: '1234',
  CallSid: 'CA1234567890ABCDE',
  Caller: '+14158675309',
  From: '+14158675309',
}
/** The provider's own example (twilio-php-atbaker.readthedocs.io/en/latest/usage/validation.html). */
const SIGNATURE = 'RSOYDt4T1cUTdK1PDd93/VVr8B8='

describe('the signature of a callback (security 25)', () => {
  it('is what the provider’s own example says', () => {
    expect(twilioSignature('12345', URL, FIELDS)).to.equal(SIGNATURE)
    expect(isSignedByTwilio(['other', '12345'], SIGNATURE, URL, FIELDS)).to.equal(true)
  })

  const FORGED: readonly (readonly [string, Parameters<typeof isSignedByTwilio>])[] = [
    ['another token', [['1234'], SIGNATURE, URL, FIELDS]],
    ['no token', [[], SIGNATURE, URL, FIELDS]],
    ['another address', [['12345'], SIGNATURE, `${URL}&x=1`, FIELDS]],
    ['another scheme', [['12345'], SIGNATURE, URL.replace('https', 'http'), FIELDS]],
    ['a changed field', [['12345'], SIGNATURE, URL, { ...FIELDS, Digits: '4' }]],
    ['an added field', [['12345'], SIGNATURE, URL, { ...FIELDS, A: 'b' }]],
    ['an empty signature', [['12345'], '', URL, FIELDS]],
    ['a signature of the right length', [['12345'], 'ASOYDt4T1cUTdK1PDd93/VVr8B8=', URL, FIELDS]],
  ]
  for (const [title, given] of FORGED) {
    it(`is not right with ${title}`, () => {
      expect(isSignedByTwilio(...given)).to.equal(false)
    })
  }
})
