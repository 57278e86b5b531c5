import { expect } from 'chai'
import { attachmentName } from '../../../src/delivery/outgoing/attachment-name.ts'

const URL_OF_REPORT = 'https://files.example.org/2026/report.pdf?sig=abc#x'

describe('the name of an attachment', () => {
  const table: readonly [title: string, disposition: string | null, url: string, name: string][] = [
    ['is the last part of the path', null, URL_OF_REPORT, 'report.pdf'],
    ['is decoded', null, 'https://files.example.org/M%C3%A4rz%20a.pdf', 'März a.pdf'],
    ['survives what cannot be decoded', null, 'https://files.example.org/a%ff.pdf', 'a%ff.pdf'],
    ['is a common one where there is none', null, 'https://files.example.org/', 'attachment'],
    ['is that of the header', 'attachment; filename="invoice 7.pdf"', URL_OF_REPORT, 'invoice 7.pdf'],
    ['may stand without quotes', 'inline; filename=invoice.pdf; size=3', URL_OF_REPORT, 'invoice.pdf'],
    [
      'is the extended one first',
      `attachment; filename="a.pdf"; filename*=UTF-8''M%C3%A4rz.pdf`,
      URL_OF_REPORT,
      'März.pdf',
    ],
    ['undoes escapes', 'attachment; filename="a\\"b.pdf"', URL_OF_REPORT, 'a_b.pdf'],
    ['has no folders', 'attachment; filename="../../etc/passwd"', URL_OF_REPORT, 'passwd'],
    [
      'has no folders of the other kind',
      'attachment; filename="C:\\\\temp\\\\x.exe"',
      URL_OF_REPORT,
      'x.exe',
    ],
    ['has no folders once decoded', null, 'https://files.example.org/..%2f..%2fetc%2fpasswd', 'passwd'],
    [
      'has no line breaks',
      `attachment; filename*=UTF-8''a%0d%0aBcc:%20x@y.example.pdf`,
      URL_OF_REPORT,
      'a Bcc_ x@y.example.pdf',
    ],
    ['has no NUL', `attachment; filename*=UTF-8''a.pdf%00.exe`, URL_OF_REPORT, 'a.pdf .exe'],
    ['has no direction marks', `attachment; filename*=UTF-8''a%E2%80%AEfdp.exe`, URL_OF_REPORT, 'afdp.exe'],
    ['is not hidden', 'attachment; filename=".htaccess"', URL_OF_REPORT, 'htaccess'],
    [
      'is that of the path where the header has dots only',
      'attachment; filename=".."',
      URL_OF_REPORT,
      'report.pdf',
    ],
    [
      'keeps its ending when it is cut',
      `attachment; filename="${'x'.repeat(300)}.pdf"`,
      URL_OF_REPORT,
      `${'x'.repeat(95)}….pdf`,
    ],
  ]
  for (const [title, disposition, url, name] of table) {
    it(`${title} (N08, security row 20)`, () => {
      const made = attachmentName(disposition, url)
      expect(made).to.equal(name)
      expect(made.length).to.be.at.most(100)
    })
  }

  it('is found quickly in a header that is made to be slow', () => {
    const started = performance.now()
    attachmentName(`attachment; filename="${'\\"'.repeat(8000)}`, URL_OF_REPORT)
    attachmentName(`${'; filename*'.repeat(1500)}=`, URL_OF_REPORT)
    attachmentName(`filename ${' '.repeat(16_000)}`, URL_OF_REPORT)
    expect(performance.now() - started).to.be.below(1000)
  })
})
