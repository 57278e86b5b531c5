import { BlockList, isIP } from 'node:net'

/** Who may be called beside the public Internet: host names, addresses and networks. */
export interface Allowance {
  readonly hosts: ReadonlySet<string>
  readonly networks: BlockList
  readonly hasNetworks: boolean
  /** Where the list stands in the configuration, for whoever is refused. */
  readonly setting: string
}

/**
 * What a URL asks of the addresses that its host turns out to have: nothing, because the operator named the host;
 * that they are public, or allowed; or that every one is allowed, because the URL is one that no public host gets.
 */
export type Demand = 'none' | 'public' | 'allowed'

export type UrlVerdict =
  | { readonly ok: true; readonly demand: Demand }
  | { readonly ok: false; readonly because: string }

const PORTS: ReadonlySet<string> = new Set(['', '80', '443', '8443'])

/** Everything of the IANA special-purpose registries that is not the public Internet, and multicast. */
const CLOSED_V4: readonly (readonly [net: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/**
 * Inside 2000::/3, the only unicast space in public use: Teredo and its neighbours, 6to4 and documentation. All the
 * rest (loopback, ULA, link-local, IPv4-mapped, NAT64, multicast) lies outside of it.
 */
const CLOSED_V6: readonly (readonly [net: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const closedV4 = blockList(CLOSED_V4, 'ipv4')
const closedV6 = blockList(CLOSED_V6, 'ipv6')
const unicastV6 = blockList([['2000::', 3]], 'ipv6')

function blockList(nets: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family)
  return list
}

/** Whether an address, as a resolver gives it, belongs to the public Internet. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  // A zone (`fe80::1%eth0`) is about this machine's own links.
  if (family === 0 || address.includes('%')) return false
  if (family === 4) return !closedV4.check(address, 'ipv4')
  return unicastV6.check(address, 'ipv6') && !closedV6.check(address, 'ipv6')
}

/** Reads the entries of an allow list; null for one that is neither host, address nor network. */
export function parseAllowEntry(
  entry: string,
):
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'network'; readonly address: string; readonly prefix: number }
  | null {
  const [address = '', prefix, ...rest] = entry.split('/')
  const family = isIP(address)
  if (family > 0 && !address.includes('%')) {
    const width = family === 4 ? 32 : 128
    if (rest.length > 0 || (prefix !== undefined && !/^[0-9]{1,3}$/.test(prefix))) return null
    const length = prefix === undefined ? width : Number(prefix)
    return length > width ? null : { kind: 'network', address, prefix: length }
  }
  const host = entry.toLowerCase()
  const named = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/
  // `127.1` and `0x7f000001` are addresses to whoever resolves them.
  const numeric = /(^|\.)([0-9]+|0x[0-9a-f]*)$/
  return named.test(host) && !numeric.test(host) ? { kind: 'host', host } : null
}

/** An allow list ready for use; entries that are none are left out, the configuration's check names them. */
export function allowanceOf(entries: readonly string[], setting = 'channels.webhook.allow'): Allowance {
  const hosts = new Set<string>()
  const networks = new BlockList()
  let hasNetworks = false
  for (const entry of entries) {
    const parsed = parseAllowEntry(entry)
    if (parsed?.kind === 'host') hosts.add(parsed.host)
    if (parsed?.kind !== 'network') continue
    networks.addSubnet(parsed.address, parsed.prefix, isIP(parsed.address) === 4 ? 'ipv4' : 'ipv6')
    hasNetworks = true
  }
  return { hosts, networks, hasNetworks, setting }
}

/**
 * Whether a URL may be called as far as its text tells (security row 22): https, ports 443, 80 and 8443, no user
 * name, no address that is not public; the allow list makes exceptions. The URL parser has turned decimal, octal
 * and hexadecimal addresses into their usual form before. The reason never quotes the URL, which may be a secret.
 */
export function checkUrl(url: URL, allowance: Allowance): UrlVerdict {
  const no = (because: string) => ({ ok: false, because }) as const
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return no('expected an https:// URL')
  if (url.username !== '' || url.password !== '') return no('a URL must not hold a user name or password')
  const host = hostOf(url)
  if (host === '') return no('a URL needs a host')
  const usual = url.protocol === 'https:' && PORTS.has(url.port)
  const unusual =
    url.protocol === 'https:'
      ? `only ports 443, 80 and 8443 are called, unless ${allowance.setting} names the host`
      : `only https:// is called, unless ${allowance.setting} names the host`
  if (isIP(host) > 0) {
    if (isAllowedAddress(host, allowance)) return { ok: true, demand: 'none' }
    if (!isPublicAddress(host))
      return no(`the address is not public; ${allowance.setting} can make an exception`)
    return usual ? { ok: true, demand: 'public' } : no(unusual)
  }
  if (allowance.hosts.has(host)) return { ok: true, demand: 'none' }
  if (usual) return { ok: true, demand: 'public' }
  return allowance.hasNetworks ? { ok: true, demand: 'allowed' } : no(unusual)
}

/** Whether a connection to this address satisfies what its URL asks. */
export function mayConnect(address: string, demand: Demand, allowance: Allowance): boolean {
  if (demand === 'none') return isIP(address) > 0
  return isAllowedAddress(address, allowance) || (demand === 'public' && isPublicAddress(address))
}

function isAllowedAddress(address: string, { networks }: Allowance): boolean {
  const family = isIP(address)
  return family > 0 && !address.includes('%') && networks.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** The host of a URL without brackets and the final dot of a fully qualified name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
}
