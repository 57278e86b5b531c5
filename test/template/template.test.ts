import { expect } from 'chai'
import { LONGEST_OUTPUT, MOST_STEPS } from '../../src/template/budget.ts'
import { createTemplateCache } from '../../src/template/template-cache.ts'
import {
  compileTemplate,
  formatTemplateFault,
  type Template,
  type TemplateData,
} from '../../src/template/template.ts'
import type { TemplateFormat } from '../../src/template/liquid-engines.ts'

function compiled(source: string, format: TemplateFormat = 'text'): Template {
  const compilation = compileTemplate(source, format)
  if (!compilation.ok) throw new Error(formatTemplateFault(compilation.fault))
  return compilation.template
}

function rendered(source: string, data: TemplateData, format: TemplateFormat = 'text'): string {
  const rendering = compiled(source, format).render(data)
  return rendering.ok ? rendering.text : `FAULT ${formatTemplateFault(rendering.fault)}`
}

/** What it came to: `text`, or the fault of reading or of rendering it. */
function outcome(source: string, data: TemplateData, format: TemplateFormat = 'text') {
  const compilation = compileTemplate(source, format)
  if (!compilation.ok) return { at: 'compile', message: compilation.fault.message }
  const rendering = compilation.template.render(data)
  return rendering.ok
    ? { at: 'done', message: rendering.text }
    : { at: 'render', message: rendering.fault.message }
}

const LONG = 'x'.repeat(128 * 1024)
const MAP = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, index]))
const MANY = Array.from({ length: 60_000 }, (_, index) => index)

describe('templates', () => {
  const shows: readonly (readonly [source: string, data: TemplateData, result: string])[] = [
    ['Hello {{ name }}', { name: 'Anna' }, 'Hello Anna'],
    ['Hello {{ name }}!', {}, 'Hello !'],
    ['{{ a.b[1].c }}', { a: { b: [1, { c: 'deep' }] } }, 'deep'],
    ['{% if n > 1 %}many{% elsif n == 1 %}one{% else %}none{% endif %}', { n: 1 }, 'one'],
    ['{% for x in list %}{{ forloop.index }}:{{ x }} {% endfor %}', { list: ['a', 'b'] }, '1:a 2:b '],
    ['{% for pair in map %}{{ pair[0] }}={{ pair[1] }};{% endfor %}', { map: { a: 1, b: 2 } }, 'a=1;b=2;'],
    ['{% assign x = n | times: 2 %}{% capture y %}<{{ x }}>{% endcapture %}{{ y }}', { n: 4 }, '<8>'],
    ['{{ list }} {{ map }} {{ nothing }}', { list: [1, 'b'], map: { a: 1 }, nothing: null }, '1b {"a":1} '],
    ['{{ t | date: "%Y-%m-%d %H:%M" }}', { t: '2026-01-05T12:30:00Z' }, '2026-01-05 12:30'],
    ['{{ t | date: "%H:%M", "Europe/Berlin" }}', { t: '2026-01-05T12:30:00Z' }, '13:30'],
    ['{{ x | default: "none" | upcase }}', {}, 'NONE'],
    ['{% raw %}{{ x }}{% endraw %}', { x: 1 }, '{{ x }}'],
    ['Ünïcödé {{ e }}', { e: '🚨' }, 'Ünïcödé 🚨'],
  ]
  for (const [source, data, result] of shows) {
    it(`shows ${JSON.stringify(result)} for ${source}`, () => {
      expect(rendered(source, data)).to.equal(result)
    })
  }

  describe('for HTML', () => {
    const bad = `<script>"&'</script>`
    const safe = '&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;'
    const escapes: readonly (readonly [source: string, result: string])[] = [
      ['<p>{{ x }}</p>', `<p>${safe}</p>`],
      ['{{ x | escape }}', safe],
      ['{{ x | escape_once | xml_escape }}', safe],
      ['{% assign y = x %}{{ y }}', safe],
      ['{% echo x | append: "" %}', safe],
      ['{% for c in list %}{{ c }}{% endfor %}', safe],
      ['{% liquid\n echo x\n %}', safe],
      ['{{ list }}', safe],
      ['{{ map }}', '{&quot;a&quot;:&quot;&lt;b&gt;&quot;}'],
      ['{{ lines | newline_to_br }}', 'a&lt;b<br>\nc'],
      ['{{ lines | newline_to_br | upcase }}', 'A&amp;LT;B&lt;BR&gt;\nC'],
      ['{% cycle x, "b" %}', safe],
    ]
    for (const [source, result] of escapes) {
      it(`escapes what ${source.replaceAll('\n', ' ')} shows`, () => {
        const data = { x: bad, list: [bad], map: { a: '<b>' }, lines: 'a<b\nc' }
        expect(rendered(source, data, 'html')).to.equal(result)
      })
    }

    it('keeps the markup of the template itself', () => {
      expect(rendered('<a href="{{ u }}">{{ t }}</a>', { u: '"><b>', t: 'x' }, 'html')).to.equal(
        '<a href="&quot;&gt;&lt;b&gt;">x</a>',
      )
    })

    it('has no way around the escaping', () => {
      for (const way of ['raw', 'safe', 'unescape', 'html_safe', 'base64_decode', 'inspect']) {
        expect(outcome(`{{ x | ${way} }}`, { x: bad }, 'html'), way).to.include({ at: 'compile' })
      }
    })
  })

  describe('that loop, grow or reach out', () => {
    const hostile: readonly (readonly [name: string, source: string, at: string, message: RegExp])[] = [
      ['a range of a billion', '{% for i in (1..1000000000) %}x{% endfor %}', 'render', /memory/],
      [
        'the same, backwards and then forwards',
        '{% for i in (1000000000..1) %}{% endfor %}{% for i in (1..1000000000) %}{% endfor %}',
        'render',
        /memory/,
      ],
      ['a range whose end is data', '{% for i in (1..n) %}x{% endfor %}', 'render', /memory/],
      ['an empty loop', '{% for i in (1..90000) %}{% endfor %}', 'render', /steps/],
      [
        'nested loops',
        '{% for i in (1..99) %}{% for j in (1..99) %}{% for k in (1..99) %}x{% endfor %}{% endfor %}{% endfor %}',
        'render',
        /steps/,
      ],
      [
        'nested empty loops',
        '{% for i in (1..999) %}{% for j in (1..999) %}{% endfor %}{% endfor %}',
        'render',
        /steps|memory/,
      ],
      [
        'nested loops over data',
        '{% for i in many %}{% for j in many %}{{ j }}{% endfor %}{% endfor %}',
        'render',
        /steps/,
      ],
      [
        'a loop that shows something long',
        '{% for i in (1..1000) %}{{ long }}{% endfor %}',
        'render',
        /characters|memory/,
      ],
      [
        'a text that doubles by append',
        `{% assign a = "xx" %}${'{% assign a = a | append: a %}'.repeat(40)}{{ a }}`,
        'render',
        /memory/,
      ],
      [
        'a text that doubles by capture',
        `{% assign a = "xx" %}${'{% capture a %}{{ a }}{{ a }}{% endcapture %}'.repeat(40)}`,
        'render',
        /memory|characters/,
      ],
      [
        'a text that doubles by replace',
        `{% assign a = "xx" %}${'{% assign a = a | replace: "x", "xx" %}'.repeat(40)}`,
        'render',
        /memory/,
      ],
      [
        'a list that doubles',
        `{% assign a = many %}${'{% assign a = a | concat: a %}'.repeat(40)}`,
        'render',
        /memory/,
      ],
      ['a date a billion places wide', '{{ "2026-01-01" | date: "%1000000000Y" }}', 'render', /memory/],
      [
        'sorting in a loop',
        '{% for i in (1..2000) %}{% assign s = many | sort %}{% endfor %}',
        'render',
        /memory/,
      ],
      ['summing in a loop', '{% for i in (1..2000) %}{{ many | sum }}{% endfor %}', 'render', /memory/],
      [
        'looking for an entry in a loop',
        '{% for i in (1..2000) %}{% if many contains "x" %}{% endif %}{% endfor %}',
        'render',
        /memory/,
      ],
      [
        'looking for a text in a loop',
        '{% for i in (1..2000) %}{% if long contains "y" %}{% endif %}{% endfor %}',
        'render',
        /memory/,
      ],
      [
        'comparing lists in a loop',
        '{% for i in (1..2000) %}{% if many == many %}{% endif %}{% endfor %}',
        'render',
        /memory/,
      ],
      [
        'turning a list round in a loop',
        '{% for i in (1..2000) %}{% for j in many reversed limit: 1 %}{% endfor %}{% endfor %}',
        'render',
        /memory/,
      ],
      [
        'going through a large map in a loop',
        '{% for i in (1..900) %}{% for j in map limit: 1 %}{% endfor %}{% endfor %}',
        'render',
        /memory/,
      ],
      ['including a file', '{% include "/etc/passwd" %}', 'compile', /include/],
      ['rendering a file', '{% render "/etc/passwd" %}', 'compile', /render/],
      ['a layout', '{% layout "/etc/passwd" %}', 'compile', /layout/],
      ['a block', '{% block x %}{% endblock %}', 'compile', /block/],
      ['evaluating data as an expression', '{{ many | where_exp: "x", "x" }}', 'compile', /where_exp/],
      ['a filter of the prototype', '{{ x | constructor }}', 'compile', /constructor/],
      ['another filter of the prototype', '{{ x | __proto__ }}', 'compile', /__proto__/],
      ['what the clock says', '{{ "now" | date: "%Y" }}', 'render', /now/],
      ['chance', '{{ many | sample }}', 'compile', /sample/],
      ['counting in the data', '{% increment n %}', 'compile', /increment/],
      ['a table', '{% tablerow i in (1..3) %}{% endtablerow %}', 'compile', /tablerow/],
      [
        'a deep nesting',
        `${'{% if a %}'.repeat(3000)}${'{% endif %}'.repeat(3000)}`,
        'compile',
        /stack|deep|length/i,
      ],
      ['deep brackets', `{{ ${'a['.repeat(20_000)}1${']'.repeat(20_000)} }}`, 'compile', /./],
      ['a template of a megabyte', 'x'.repeat(1_000_000), 'compile', /parse length/],
    ]
    for (const [name, source, at, message] of hostile) {
      it(`stops ${name}, quickly`, () => {
        const startedAt = performance.now()
        const found = outcome(source, { n: 1e12, long: LONG, many: MANY, map: MAP, x: 'x', a: true })
        const took = performance.now() - startedAt
        expect(found.at, found.message.slice(0, 200)).to.equal(at)
        expect(found.message).to.match(message)
        // A hundred times what it takes alone: the machine may be busy, a loop that runs on would take hours.
        expect(took, 'milliseconds').to.be.below(3000)
      })
    }

    const shows: readonly (readonly [name: string, source: string])[] = [
      ['the prototype', '{{ x.__proto__ }}{{ x.constructor }}{{ x["constructor"]["constructor"] }}'],
      ['the prototype of the data', '{{ constructor }}{{ __proto__ }}{{ toString }}{{ hasOwnProperty }}'],
      ['methods', '{{ text.length.constructor }}{{ text.toUpperCase }}{{ list.push }}{{ list.map }}'],
      ['globals', '{{ process }}{{ global }}{{ globalThis }}{{ require }}{{ this }}'],
    ]
    for (const [name, source] of shows) {
      it(`shows nothing of ${name}`, () => {
        expect(outcome(source, { x: { y: 1 }, text: 'abc', list: [1] })).to.deep.equal({
          at: 'done',
          message: '',
        })
      })
    }

    it('leaves the data as they were', () => {
      const data = { list: [3, 1, 2], map: { a: 1 } }
      rendered(
        '{% assign map = "x" %}{{ list | sort | reverse | concat: list }}{% capture list %}y{% endcapture %}',
        data,
      )
      expect(data).to.deep.equal({ list: [3, 1, 2], map: { a: 1 } })
    })

    it('lets no rendering pollute the next one', () => {
      const template = compiled('{{ x }}{% assign x = 1 %}{% assign __proto__ = "p" %}{{ y.polluted }}')
      expect(template.render({ y: {} })).to.deep.equal({ ok: true, text: '' })
      expect(template.render({ y: {} })).to.deep.equal({ ok: true, text: '' })
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined)
    })

    it('takes evil strings of ten thousand characters in linear time', () => {
      const startedAt = performance.now()
      for (const evil of [
        '{',
        '{{',
        '{%',
        '{{{{%',
        "{{ '",
        '{{ a |',
        '{{ a..',
        '{% if (',
        '\\"',
        '{{-',
        '<!--',
      ]) {
        outcome(evil.repeat(10_000 / evil.length), {})
        rendered(
          '{{ e | strip_html | squish | truncatewords: 3 | split: " " | join: "" }}',
          { e: evil.repeat(10_000 / evil.length) },
          'html',
        )
      }
      expect(performance.now() - startedAt).to.be.below(3000)
    })
  })

  it('has room for a long mail', () => {
    const rows = Array.from({ length: 300 }, (_, index) => ({ name: `Row ${index}`, price: index * 100 }))
    const text = rendered(
      '{% for row in rows %}<tr><td>{{ row.name }}</td><td>{{ row.price | divided_by: 100.0 | round: 2 }}</td></tr>{% endfor %}',
      { rows },
      'html',
    )
    expect(text).to.contain('Row 299').and.not.contain('FAULT')
    expect(MOST_STEPS).to.be.greaterThan(300 * 5)
    expect(LONGEST_OUTPUT).to.be.greaterThan(text.length)
  })

  describe('faults', () => {
    const faults: readonly (readonly [source: string, line: number, column: number])[] = [
      ['Hello {{ name | nope }}', 1, 7],
      ['a\n  {% if x %}\nb', 2, 3],
      ['a\nb {{ x', 2, 3],
      ['{% nope %}', 1, 1],
      ['one\ntwo {{ "now" | date: "%Y" }}', 2, 5],
    ]
    for (const [source, line, column] of faults) {
      it(`names line ${line} and column ${column} of ${JSON.stringify(source)}`, () => {
        const compilation = compileTemplate(source, 'text')
        const result = compilation.ok ? compilation.template.render({}) : compilation
        expect(result.ok).to.equal(false)
        if (!result.ok) expect(result.fault).to.include({ line, column })
        if (!result.ok) expect(result.fault.message).not.to.match(/line:|col:/)
      })
    }
  })

  it('names the variables that it uses', () => {
    const template = compiled(
      '{{ a.b }} {% for x in list %}{{ x.y }} {{ other }}{% endfor %}{% assign z = q %}{{ z }} {{ a.c | append: w }}',
    )
    expect(template.variables).to.deep.equal(['a', 'list', 'other', 'q', 'w'])
  })

  describe('as a whole', () => {
    const whole: readonly (readonly [
      source: string,
      data: Readonly<Record<string, unknown>>,
      becomes: string | readonly string[],
    ])[] = [
      ['{{ a.b }} {{ c }}', { a: { b: 1 }, c: '' }, '1 '],
      ['{{ a.b.c }} {{ d }} {{ d }}', { a: {} }, ['a.b.c', 'd']],
      ['{{ a }}', { a: null }, ['a']],
      ['{{ list[0].x }} {{ list.size }}', { list: [] }, ['list.0.x']],
      ['{{ list.first }} {{ list.size }}', { list: [7] }, '7 1'],
      ['{{ a | upcase }} {{ n | plus: m }}', { n: 1 }, ['a', 'm']],
      ['{{ a | default: "-" }}{{ b.c | default: "" }}!', {}, '-!'],
      ['{% if a.b %}{{ a.b }}{% endif %}{% unless c == 1 %}x{% endunless %}', {}, 'x'],
      ['{% if vip %}{{ perk }}{% endif %}', { vip: true }, ['perk']],
      ['{% for row in rows %}{{ forloop.index }}{{ row.name }}{% endfor %}', { rows: [{ name: 'A' }] }, '1A'],
      ['{% for row in rows %}{{ row.name }}{% endfor %}', { rows: [{}, {}] }, ['row.name']],
      ['{% for row in rows %}x{% endfor %}', {}, ['rows']],
      ['{% assign z = q %}{{ z }}', {}, ['z']],
      ['{% case a %}{% when 1 %}x{% else %}y{% endcase %}', {}, 'y'],
    ]
    for (const [source, data, becomes] of whole) {
      it(`${source} with ${JSON.stringify(data)} is ${JSON.stringify(becomes)}`, () => {
        for (const format of ['text', 'html'] as const) {
          const rendering = compiled(source, format).render(data, 'whole')
          expect(rendering.ok ? rendering.text : rendering.missing).to.deep.equal(becomes)
        }
      })
    }

    it('has a fault with its place where something is missing, and leaves a hole there otherwise', () => {
      const template = compiled('Dear\n{{ user.name }},')
      expect(template.render({}, 'whole')).to.deep.include({
        ok: false,
        fault: { message: 'nothing is given for user.name', line: 2, column: 4 },
      })
      expect(template.render({})).to.deep.equal({ ok: true, text: 'Dear\n,' })
    })

    it('ends within the same bounds, whatever is missing on the way', () => {
      const loop = '{% for i in (1..90000) %}{{ gone }}{% endfor %}'
      const rendering = compiled(loop.repeat(50)).render({}, 'whole')
      expect(rendering).to.deep.include({ ok: false, missing: ['gone'] })
      const honest = compiled('{{ gone }}{% for i in (1..90000) %}x{% endfor %}').render({}, 'whole')
      expect(honest).to.deep.include({ ok: false, missing: ['gone'] })
    })
  })

  it('compiles a template once while it is remembered, and forgets what was not asked for', () => {
    const compile = createTemplateCache(2000)
    const first = compile('{{ a }}', 'text')
    expect(compile('{{ a }}', 'text')).to.equal(first)
    expect(compile('{{ a }}', 'html')).not.to.equal(first)
    for (let index = 0; index < 50; index++) compile(`{{ a }} ${index}`, 'text')
    expect(compile('{{ a }}', 'text')).not.to.equal(first)
    const long = compile('y'.repeat(10_000), 'text')
    expect(compile('y'.repeat(10_000), 'text')).to.equal(long)
  })
})
