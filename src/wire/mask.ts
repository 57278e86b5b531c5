/**
 * An address so that its owner recognises it and nobody else can use it: the last two digits of a phone number, the
 * first letter and the domain of a mailbox, the host of a URL, the last four characters of anything else. The id of a
 * device or the name of a topic says nothing that would have to be hidden.
 */
export function maskAddress(address: string): string {
  if (/^(device|topic):/.test(address)) return address
  if (/^\+?[0-9 ()/-]+$/.test(address)) return `${address.slice(0, 3)}…${address.slice(-2)}`
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) return `${new URL(address).origin}/…`
  const at = address.lastIndexOf('@')
  if (at > 0) return `${address.slice(0, 1)}…${address.slice(at)}`
  return address.length > 8 ? `…${address.slice(-4)}` : '…'
}
