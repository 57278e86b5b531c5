import { expect } from 'chai'
import { DELIVERY_STATES, type DeliveryState } from '../../src/delivery/delivery.ts'
import { matchesQuery } from '../../src/notipy/events.ts'
import { plainText } from '../../src/notipy/plain-text.ts'
import { SERVICE_STATUSES, statesFor, statusOf, type ServiceStatus } from '../../src/notipy/status.ts'

describe('the status of a notification of a service', () => {
  const statuses: readonly (readonly [states: readonly DeliveryState[], status: ServiceStatus])[] = [
    [['pending'], 'initiated'],
    [['sending'], 'initiated'],
    [['sent'], 'success'],
    [['delivered', 'sent'], 'success'],
    [['dead'], 'failed'],
    [['suppressed', 'sent'], 'failed'],
    [['dead', 'pending'], 'initiated'],
    [['cancelled'], 'failed'],
    [['expired'], 'failed'],
  ]
  for (const [states, status] of statuses) {
    it(`is ${status} with deliveries that are ${states.join(' and ')} (N11)`, () => {
      expect(statusOf(states)).to.equal(status)
    })
  }

  it('is searched for in the same words as it is told (N10)', () => {
    const pairs = DELIVERY_STATES.flatMap((a) => DELIVERY_STATES.map((b) => [a, b] as const))
    for (const states of pairs) {
      for (const status of SERVICE_STATUSES) {
        const { any, none } = statesFor(status)
        const found =
          (!any || states.some((state) => any.includes(state))) &&
          (!none || !states.some((state) => none.includes(state)))
        expect(found, `${states.join()} ${status}`).to.equal(statusOf(states) === status)
      }
    }
  })
})

describe('searching for events', () => {
  const searches: readonly (readonly [text: string, query: string, found: boolean])[] = [
    ['Order shipped', '', true],
    ['Order shipped', 'order', true],
    ['Order shipped', 'SHIP', true],
    ['Order shipped', 'refund', false],
    ['Order shipped', '^order', true],
    ['Order shipped', '^shipped', false],
    ['Order shipped', 'shipped$', true],
    ['Order shipped', 'order$', false],
    ['Order shipped', '^order.*ped$', true],
    ['Order shipped', '^Order shipped$', true],
    ['Order shipped', 'refund|ship', true],
    ['a+b (c)', '+b (', true],
  ]
  for (const [text, query, found] of searches) {
    it(`${found ? 'finds' : 'does not find'} "${text}" for "${query}" (N06)`, () => {
      expect(matchesQuery(text, query)).to.equal(found)
    })
  }

  it('takes an expression that would backtrack in linear time', () => {
    const startedAt = performance.now()
    matchesQuery('a'.repeat(2000), `${'.*a'.repeat(60)}$x`)
    matchesQuery('a'.repeat(2000), '(a+)+$')
    expect(performance.now() - startedAt).to.be.below(1000)
  })
})

describe('the text of an HTML mail', () => {
  const texts: readonly (readonly [html: string, text: string])[] = [
    ['<p>Hello</p><p>World</p>', 'Hello\n\nWorld'],
    ['a<br>b<br/>c', 'a\nb\nc'],
    ['<b>bold</b> and <a href="x>y">link</a>', 'bold and y">link'],
    ['a &lt;b&gt; &amp;amp; c&nbsp;d', 'a <b> &amp; c d'],
    ['<style>p { x }</style><script>1 < 2</script>text', 'text'],
    ['<head><title>x</title></head><header>seen</header>', 'seen'],
    ['<!-- no > --> yes', 'yes'],
    ['one\n   two', 'one two'],
    ['İ<STYLE>x</STYLE>y', 'İy'],
    ['unclosed <p', 'unclosed'],
    ['plain', 'plain'],
  ]
  for (const [html, text] of texts) {
    it(`of ${html.replaceAll('\n', ' ')} is ${JSON.stringify(text)}`, () => {
      expect(plainText(html)).to.equal(text)
    })
  }

  it('takes evil markup in linear time', () => {
    const startedAt = performance.now()
    for (const evil of ['<', '<style>', '<!--', '<p ', '&', '</']) plainText(evil.repeat(30_000))
    expect(performance.now() - startedAt).to.be.below(2000)
  })
})
