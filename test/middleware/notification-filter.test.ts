import { expect } from 'chai'
import { Fault, type Context, type Decision } from '#engine'
import { notificationFilter } from '../../middleware/notification-filter.ts'
import { fakeContext } from '../support/fake-context.ts'

const done: Decision = { kind: 'drop', reason: 'test' }

async function filtered(
  body: unknown,
  redact: Context['filter']['redact'] = [],
): Promise<{ body: unknown } | Fault> {
  const context = fakeContext({ body, filter: { block: [], redact } })
  try {
    expect(await notificationFilter()(context, async () => done)).to.equal(done)
    return { body: context.body }
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

describe('notification filter', () => {
  it('takes control characters and direction overrides out of every text and leaves the rest as it is (R41)', async () => {
    const table: [before: string, after: string][] = [
      ['Grüße 🔔 <b>&amp;</b>\n\tzweite Zeile', 'Grüße 🔔 <b>&amp;</b>\n\tzweite Zeile'],
      ['שלום\u200f! مرحبا \u200d', 'שלום\u200f! مرحبا \u200d'],
      ['a\0b\u0007c\u001b[31md\r\ne\u007ff\u0085g', 'abc[31md\nefg'],
      ['invoice\u202egpj.exe\u202c \u2066x\u2069', 'invoicegpj.exe x'],
      ['half \ud83d of one', 'half  of one'],
    ]
    for (const [before, after] of table) {
      expect(await filtered({ message: before }), JSON.stringify(before)).to.deep.equal({
        body: { message: after },
      })
      expect(await filtered({ data: { list: [1, { deep: before }] } })).to.deep.equal({
        body: { data: { list: [1, { deep: after }] } },
      })
      expect(await filtered(before)).to.deep.equal({ body: after })
    }
  })

  it('takes card numbers and secrets out of what people read, and leaves addresses, ids and links (R41)', async () => {
    const card = '4111 1111 1111 1111'
    const before = {
      id: '4111111111111111',
      title: `Card ${card}`,
      message: 'password: hunter2',
      source: '4111111111111111',
      action_url: 'https://example.org/?token=abc',
      data: { card: 4111111111111111, count: 12, password: 'hunter2', deep: [{ note: card, token: 12345 }] },
      messages: [{ to: '4111111111111111@example.org', subject: card, body: 'fine' }],
    }
    const frozen = structuredClone(before)
    expect(await filtered(before, ['card_number', 'secret'])).to.deep.equal({
      body: {
        ...before,
        title: 'Card [removed]',
        message: 'password: [removed]',
        data: {
          card: '[removed]',
          count: 12,
          password: '[removed]',
          deep: [{ note: '[removed]', token: '[removed]' }],
        },
        messages: [{ to: '4111111111111111@example.org', subject: '[removed]', body: 'fine' }],
      },
    })
    expect(before, 'the payload itself stays').to.deep.equal(frozen)
    expect(await filtered(before, ['card_number'])).to.have.nested.property('body.message', before.message)
    expect(await filtered(before)).to.have.property('body', before)
  })

  it('changes a copy and hands an untouched body on as it is', async () => {
    const clean = { message: 'a', data: { list: ['b'] } }
    const untouched = await filtered(clean)
    expect(untouched).to.have.property('body', clean)
    const dirty = Object.freeze({ message: 'a\0', data: Object.freeze({ n: 1 }) })
    expect(await filtered(dirty)).to.deep.equal({ body: { message: 'a', data: { n: 1 } } })
  })

  it('holds texts to the length of their column, counted in characters (X33)', async () => {
    const columns: [field: string, most: number][] = [
      ['title', 255],
      ['type', 50],
      ['category', 30],
      ['severity', 20],
      ['icon', 50],
      ['entity_type', 30],
      ['entity_id', 36],
      ['action_url', 500],
    ]
    for (const [field, most] of columns) {
      for (const character of ['a', '🔔']) {
        expect(await filtered({ [field]: character.repeat(most) }), field).to.not.be.instanceOf(Fault)
        const refusal = await filtered({ [field]: character.repeat(most + 1) })
        expect(refusal, field).to.include({
          code: 'publish.invalid_body',
          message: `${field} is longer than ${most} characters`,
        })
        expect((refusal as Fault).details).to.deep.equal({ field, reason: 'too_long' })
      }
    }
    expect(
      await filtered({ data: { title: 'a'.repeat(300) }, message: 'b'.repeat(10_000) }),
    ).to.not.be.instanceOf(Fault)
  })

  it('measures a text after it was cleaned', async () => {
    expect(await filtered({ severity: `\u202e${'a'.repeat(20)}` })).to.deep.equal({
      body: { severity: 'a'.repeat(20) },
    })
  })

  it('takes only links that run no script (security 19)', async () => {
    const links: [link: string, safe: boolean][] = [
      ['https://example.org/a?b=c#d', true],
      ['HTTP://example.org', true],
      ['/crm/customers/acme', true],
      ['crm/customers', true],
      ['?tab=2', true],
      ['', true],
      ['mailto:ops@example.org', true],
      ['javascript:alert(1)', false],
      ['JaVaScRiPt:alert(1)', false],
      [' javascript:alert(1)', false],
      ['java\tscript:alert(1)', false],
      ['java\nscript:alert(1)', false],
      ['java\0script:alert(1)', false],
      ['\u0001javascript:alert(1)', false],
      ['https://example.org/a\nb', false],
      ['data:text/html,x', false],
      ['vbscript:x', false],
      ['file:///etc/passwd', false],
      ['tel:+4915112345678', false],
      ['http://', false],
    ]
    for (const [link, safe] of links) {
      const result = await filtered({ action_url: link })
      if (safe) expect(result, link).to.deep.equal({ body: { action_url: link } })
      else
        expect(result, JSON.stringify(link)).to.have.deep.property('details', {
          field: 'action_url',
          reason: 'scheme',
        })
    }
  })

  it('takes an id only of letters, digits and . _ : -, at most 128', async () => {
    const ids: [id: unknown, fits: boolean][] = [
      ['0190a3-order:7_b.C', true],
      ['a'.repeat(128), true],
      [undefined, true],
      [null, true],
      ['a'.repeat(129), false],
      ['', false],
      ['a/b', false],
      ['a b', false],
      ['a\nb', false],
      ['a+', false],
      ['ä', false],
      [7, false],
      [{}, false],
    ]
    for (const [id, fits] of ids) {
      const result = await filtered({ id })
      expect(result instanceof Fault, JSON.stringify(id)).to.equal(!fits)
      if (!fits) expect(result).to.have.deep.property('details', { field: 'id', reason: 'pattern' })
    }
  })

  it('refuses names with control characters, because cleaning them could make a forbidden one (security 28)', async () => {
    const refusal = await filtered({ data: { ['__pro\0to__']: { admin: true } } })
    expect(refusal).to.include({
      code: 'publish.invalid_body',
      message: 'data has a name with control characters',
    })
    expect(await filtered({ ['\u202ea']: 1 })).to.include({
      message: 'The payload has a name with control characters',
    })
  })

  it('refuses what nests deeper than 32 levels', async () => {
    let deep: unknown = 'x'
    for (let level = 0; level < 32; level += 1) deep = level % 2 === 0 ? [deep] : { a: deep }
    expect(await filtered(deep)).to.deep.equal({ body: deep })
    expect(await filtered([deep])).to.include({ code: 'publish.too_deep' })
  })

  it('lets bodies through that are no objects', async () => {
    for (const body of [null, 1, true, 'text', ['title']])
      expect(await filtered(body)).to.deep.equal({ body })
  })
})
