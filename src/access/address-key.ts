import { isIPv6 } from 'node:net'

/**
 * What of a remote address counts for limits (security row 27): all of an IPv4 address, also one in IPv6 clothes,
 * and the first half of an IPv6 address, because one subscriber owns the other half.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(address)) return address
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  const groups = tail === undefined ? front : [...front, ...gap, ...back]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}

/** Whether this is the machine itself. */
export function isLoopback(address: string): boolean {
  return address === '::1' || addressKey(address).startsWith('127.')
}
