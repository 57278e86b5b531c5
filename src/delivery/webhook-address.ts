/**
 * The address of deliveries to an endpoint: its URL and, as a fragment that is never sent, its name, because several
 * endpoints may share a URL (integrations of PagerDuty, topics of ntfy).
 */
export function webhookAddress(name: string, url: string): string {
  return `${url}#${name}`
}
