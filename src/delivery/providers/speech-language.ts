/** What Twilio's voices speak (https://www.twilio.com/docs/voice/twiml/say); of several, the first is the usual one. */
const SPOKEN = [
  'en-US',
  'en-AU',
  'en-CA',
  'en-GB',
  'en-IN',
  'ca-ES',
  'da-DK',
  'de-DE',
  'es-ES',
  'es-MX',
  'fi-FI',
  'fr-FR',
  'fr-CA',
  'it-IT',
  'ja-JP',
  'ko-KR',
  'nb-NO',
  'nl-NL',
  'pl-PL',
  'pt-BR',
  'pt-PT',
  'ru-RU',
  'sv-SE',
  'zh-CN',
  'zh-HK',
  'zh-TW',
] as const
export type SpeechLanguage = (typeof SPOKEN)[number]

/** The language of whatever the program itself says. */
export const OWN_LANGUAGE: SpeechLanguage = 'en-US'

/** The voice for a person's locale (`de`, `pt-BR`): of the same country, else of the same language, else English. */
export function speechLanguage(locale: string): SpeechLanguage {
  const { language, region } = likely(locale)
  return (
    SPOKEN.find((spoken) => spoken === `${language}-${region}`) ??
    SPOKEN.find((spoken) => spoken.startsWith(`${language}-`)) ??
    OWN_LANGUAGE
  )
}

function likely(locale: string): { readonly language: string; readonly region: string | undefined } {
  try {
    const { language, region } = new Intl.Locale(locale).maximize()
    // Norwegian without a kind is written, and read, as Bokmål.
    return { language: language === 'no' ? 'nb' : language, region }
  } catch {
    return { language: '', region: undefined }
  }
}
