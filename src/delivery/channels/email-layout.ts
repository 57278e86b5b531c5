import type { Content } from '../message/content.ts'

const ACCENT: Readonly<Record<Content['tone'], string>> = {
  critical: '#c62828',
  warning: '#b26a00',
  neutral: '#1f5fae',
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text made safe for element content and quoted attributes of HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/**
 * The HTML twin of an e-mail: one column of at most 600 px, a table because mail programs know nothing better, colours
 * that turn over in dark mode, nothing loaded from anywhere. All content is escaped.
 */
export function emailHtml(content: Content): string {
  const accent = ACCENT[content.tone]
  const text = escapeHtml(content.text).replaceAll('\n', '<br>')
  const facts = content.facts.map(
    ([label, value]) =>
      `<tr><td class="soft" style="padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap;color:#5f6368">${escapeHtml(label)}</td>` +
      `<td style="padding:2px 0;word-break:break-word">${escapeHtml(value)}</td></tr>`,
  )
  const link = content.link
    ? `<p style="margin:20px 0 0"><a href="${escapeHtml(content.link.url)}" style="display:inline-block;padding:10px 18px;border-radius:6px;background:${accent};color:#ffffff;text-decoration:none;font-weight:600">${escapeHtml(content.link.label)}</a></p>`
    : ''
  const hint = content.hint
    ? `<p class="soft" style="margin:16px 0 0;font-size:13px;color:#5f6368;word-break:break-word">${escapeHtml(content.hint)}</p>`
    : ''
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    `<title>${escapeHtml(content.title)}</title>`,
    '<style>@media (prefers-color-scheme: dark) { body, .page { background: #17181a !important; color: #e8eaed !important } ' +
      '.card { background: #232528 !important; color: #e8eaed !important } .soft { color: #a8adb3 !important } }</style>',
    '</head><body style="margin:0;background:#f2f3f5;color:#202124">',
    '<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:#f2f3f5">',
    '<tr><td align="center" style="padding:24px 12px">',
    '<table class="card" role="presentation" width="100%" cellpadding="0" cellspacing="0" ' +
      `style="max-width:600px;background:#ffffff;border-top:4px solid ${accent};border-radius:8px">`,
    '<tr><td style="padding:24px;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">',
    `<h1 style="margin:0 0 12px;font-size:20px;line-height:1.3;word-break:break-word">${escapeHtml(content.title)}</h1>`,
    text === '' ? '' : `<p style="margin:0;word-break:break-word">${text}</p>`,
    facts.length === 0
      ? ''
      : `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:16px 0 0;font-size:14px">${facts.join('')}</table>`,
    link,
    hint,
    '</td></tr></table></td></tr></table></body></html>',
  ]
    .filter(Boolean)
    .join('\n')
}

/** The text twin, for readers without HTML. */
export function emailText(content: Content): string {
  const facts = content.facts.map(([label, value]) => `${label}: ${value}`).join('\n')
  const link = content.link ? `${content.link.label}: ${content.link.url}` : ''
  return [content.text, facts, link, content.hint ?? ''].filter(Boolean).join('\n\n') || content.title
}
