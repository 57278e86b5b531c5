import { eachField } from '../../template/choose-part.ts'
import { compileTemplate, formatTemplateFault } from '../../template/template.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { isLocale } from './contacts.ts'

/** Every template can be read; a fault names the line and column inside it as well. */
export function checkTemplates({ templates }: Config): Finding[] {
  return eachField(templates).flatMap(({ path, source, format }) => {
    const compilation = compileTemplate(source, format)
    if (compilation.ok) return []
    return [{ path: ['templates', ...path], message: formatTemplateFault(compilation.fault) }]
  })
}

export function checkTemplateLocales({ templates }: Config): Finding[] {
  return Object.entries(templates).flatMap(([event, { locales }]) =>
    Object.keys(locales)
      .filter((locale) => !isLocale(locale))
      .map((locale) => ({
        path: ['templates', event, 'locales', locale],
        message: `"${locale}" is no language such as en, de or pt-BR`,
        atKey: true,
      })),
  )
}
