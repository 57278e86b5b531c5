import { expect } from 'chai'
import { speechLanguage } from '../../../src/delivery/providers/speech-language.ts'

describe('the language of a call', () => {
  const table: readonly (readonly [locale: string, spoken: string])[] = [
    ['en', 'en-US'],
    ['en-GB', 'en-GB'],
    ['en-ZA', 'en-US'],
    ['de', 'de-DE'],
    ['de-AT', 'de-DE'],
    ['DE-de', 'de-DE'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-PT'],
    ['es-MX', 'es-MX'],
    ['es-CO', 'es-ES'],
    ['no', 'nb-NO'],
    ['nb', 'nb-NO'],
    ['zh', 'zh-CN'],
    ['zh-Hant', 'zh-TW'],
    ['zh-Hant-HK', 'zh-HK'],
    ['tlh', 'en-US'],
    ['', 'en-US'],
    ['not a locale', 'en-US'],
  ]
  for (const [locale, spoken] of table) {
    it(`is ${spoken} for a person of locale "${locale}"`, () => {
      expect(speechLanguage(locale)).to.equal(spoken)
    })
  }
})
